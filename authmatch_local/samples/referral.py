"""Stories of referrals.

Without a number a line can reach 90 points (specialty 25, provider 25, dates 20, referring provider
10, service 10: any, where the referral names none), with one 100.
"""

from authmatch_local.samples.professional_case import FIRST_DAY, LAST_DAY
from authmatch_local.samples.referral_case import specialist_visit
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.specialties import (
    ABSENT_SPECIALTY,
    CONSULTATION,
    OFFICE_VISIT,
    STORY_SPECIALTIES,
)
from authmatch_local.samples.story import Stories

STORIES = Stories("referral")
_story = STORIES.story
_SUBSPECIALTIES = {each.taxonomy: each.subspecialty for each in STORY_SPECIALTIES}


@_story("ref-exact-number", weight=3)
def exact_with_number(scene: Scene) -> None:
    """The specialist whom the referral names, and its number (9F): 100 of 100."""
    case = specialist_visit(scene)
    case.quote()
    case.exact(100, 100)


@_story("ref-exact", weight=4)
def exact(scene: Scene) -> None:
    """The same without a number: 90 of 90."""
    specialist_visit(scene).exact(90, 90)


@_story("ref-any-provider", weight=2)
def any_provider(scene: Scene) -> None:
    """Referred to a discipline, not to a person: 90 of 90 for any of the discipline."""
    case = specialist_visit(scene)
    provider = case.authorization["servicing_provider"]
    case.authorization["servicing_provider"] = {"taxonomy": provider["taxonomy"]}
    case.exact(90, 90)


@_story("ref-parent-specialty")
def parent_specialty(scene: Scene) -> None:
    """A subspecialist of the same discipline: specialty 15 of 25."""
    case = specialist_visit(scene)
    rendering = case.claim["rendering_provider"]
    rendering["taxonomy"] = [_SUBSPECIALTIES[rendering["taxonomy"][0]]]
    case.non_exact(80, 90)


@_story("ref-tin")
def tin(scene: Scene) -> None:
    """A partner of the specialist: provider 20 of 25."""
    case = specialist_visit(scene)
    case.claim["rendering_provider"]["npi"] = case.organization.clinicians[1]
    case.non_exact(85, 90)


@_story("ref-other-provider")
def other_provider(scene: Scene) -> None:
    """A specialist of the same discipline elsewhere: provider 0 of 25."""
    case = specialist_visit(scene)
    _elsewhere(scene, case.claim)
    case.non_exact(65, 90)


@_story("ref-other-specialty")
def other_specialty(scene: Scene) -> None:
    """The named provider in another discipline: specialty 0 of 25."""
    case = specialist_visit(scene)
    case.claim["rendering_provider"]["taxonomy"] = [ABSENT_SPECIALTY.taxonomy]
    case.non_exact(65, 90)


@_story("ref-other-discipline-elsewhere")
def other_discipline_elsewhere(scene: Scene) -> None:
    """Neither the discipline nor the provider: 40 of 90, nothing."""
    case = specialist_visit(scene)
    _elsewhere(scene, case.claim)
    case.claim["rendering_provider"]["taxonomy"] = [ABSENT_SPECIALTY.taxonomy]
    case.nothing()


@_story("ref-other-referring")
def other_referring_provider(scene: Scene) -> None:
    """Sent by another doctor: referring provider 0 of 10."""
    case = specialist_visit(scene)
    case.claim["referring_provider"] = {"npi": scene.stranger().referrer}
    case.non_exact(80, 90)


@_story("ref-referring-group")
def referring_group(scene: Scene) -> None:
    """Sent by another doctor of the same primary-care group: 6 of 10."""
    case = specialist_visit(scene)
    case.authorization["requesting_provider"]["provider_group"] = case.organization.group
    case.claim["referring_provider"] = {
        "npi": scene.stranger().referrer,
        "groups": [case.organization.group],
    }
    case.non_exact(86, 90)


@_story("ref-service-type")
def service_type(scene: Scene) -> None:
    """Referred for consultation by service type, and consulted: service 10 of 10."""
    case = specialist_visit(scene)
    case.authorization["service_type"] = "3"
    case.line["procedure"] = scene.rng.choice(CONSULTATION)
    case.exact(90, 90)


@_story("ref-treated-instead")
def treated_instead(scene: Scene) -> None:
    """Referred for consultation, billed as treatment: service 3 of 10."""
    case = specialist_visit(scene)
    case.authorization["lines"] = [{"line": 1, "procedure": {"group": "consultation"}}]
    case.line["procedure"] = scene.rng.choice(OFFICE_VISIT)
    case.line["benefit"] = scene.benefit("referral")
    case.non_exact(83, 90)


@_story("ref-match-days")
def within_match_days(scene: Scene) -> None:
    """Found through the match days only: dates 8 of 20, never exact."""
    case = specialist_visit(scene)
    day = scene.day(LAST_DAY + 1 + case.dice % 7)
    case.line |= {"from": day, "to": day}
    case.non_exact(78, 90)


@_story("ref-expired")
def expired(scene: Scene) -> None:
    """Long after the last day: not a candidate."""
    case = specialist_visit(scene)
    day = scene.day(LAST_DAY + 8 + case.dice % 6)
    case.line |= {"from": day, "to": day}
    case.nothing()


@_story("ref-open-end", is_last=True)
def open_end(scene: Scene) -> None:
    """Without a last day the referral holds: 90 of 90, months later."""
    case = specialist_visit(scene, last=None)
    day = scene.day(FIRST_DAY + 150 + case.dice % 100)
    case.line |= {"from": day, "to": day}
    case.claim["received_on"] = scene.day(300)
    case.exact(90, 90)


@_story("ref-unknown-number")
def unknown_number(scene: Scene) -> None:
    """A number that nobody has: 0 of 10, not exact, and reported at its level."""
    case = specialist_visit(scene)
    case.quote(scene.unknown_number())
    case.non_exact(90, 100, also=("invalid-on-claim",))


@_story("ref-unknown-number-on-line")
def unknown_number_on_the_line(scene: Scene) -> None:
    """The same at the level of the line: its own event."""
    case = specialist_visit(scene)
    case.quote(scene.unknown_number(), level="line")
    case.non_exact(90, 100, also=("invalid-on-line",))


@_story("ref-denied")
def denied(scene: Scene) -> None:
    """Denied, and nothing else fits."""
    case = specialist_visit(scene)
    scene.decide(case.authorization, "A3")
    case.not_usable("denied", 90, 90)


@_story("ref-pending")
def pending(scene: Scene) -> None:
    """Pended, and nothing else fits."""
    case = specialist_visit(scene)
    scene.decide(case.authorization, "A4")
    case.not_usable("pending", 90, 90)


def _elsewhere(scene: Scene, claim: dict[str, dict[str, object]]) -> None:
    stranger = scene.stranger()
    claim["rendering_provider"] |= {"npi": stranger.clinicians[0], "tin": stranger.tin}
    claim["billing_provider"] = {"npi": stranger.billing, "tin": stranger.tin}
