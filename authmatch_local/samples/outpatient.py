"""Stories of outpatient claims.

Without a number a line can reach 90 points (procedure 28, dates 20, facility 20, revenue code 8,
modifiers 6, diagnosis 5, bill type 3), with one 100.
"""

from authmatch_local.samples.families import (
    ABSENT,
    BOTH_SIDES,
    KNEE_REPLACEMENT,
    OTHER_SIDE,
    SCAN,
    SIDED_FAMILIES,
    THERAPY,
)
from authmatch_local.samples.outpatient_case import authorize, treatment
from authmatch_local.samples.professional_case import FIRST_DAY, LAST_DAY, billed_line
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.story import Stories

STORIES = Stories("outpatient")
_story = STORIES.story


@_story("out-exact-number", weight=3)
def exact_with_number(scene: Scene) -> None:
    """All as authorized, the number typed by hand: 100 of 100."""
    case = treatment(scene)
    case.quote()
    case.exact(100, 100)


@_story("out-exact-range", weight=5)
def exact_in_range(scene: Scene) -> None:
    """A code of the authorized range, no number: 90 of 90."""
    treatment(scene).exact(90, 90)


@_story("out-group")
def group(scene: Scene) -> None:
    """A code of the authorized group: procedure 22 of 28."""
    family = scene.rng.choice((SCAN, THERAPY, *SIDED_FAMILIES))
    case = treatment(scene, family)
    case.service["procedure"] = {"group": family.group}
    case.non_exact(84, 90)


@_story("out-revenue-only")
def revenue_only(scene: Scene) -> None:
    """Authorized by revenue code alone, so that all its procedures are covered: 90 of 90."""
    case = treatment(scene)
    case.authorization.pop("service_type", None)
    case.service.pop("procedure")
    case.exact(90, 90)


@_story("out-revenue-class")
def revenue_class(scene: Scene) -> None:
    """Another revenue code of the same three-digit class: 5 of 8."""
    case = treatment(scene, SCAN)
    case.line["revenue_code"] = SCAN.revenue_mate
    case.non_exact(87, 90)


@_story("out-facility-tin")
def facility_tin(scene: Scene) -> None:
    """Another hospital of the same taxpayer: facility 14 of 20."""
    case = treatment(scene)
    case.claim["billing_provider"]["npi"] = case.organization.second_facility
    case.non_exact(84, 90)


@_story("out-other-facility")
def other_facility(scene: Scene) -> None:
    """Another hospital altogether: facility 0 of 20."""
    case = treatment(scene)
    stranger = scene.stranger()
    case.claim["billing_provider"] = {"npi": stranger.facility, "tin": stranger.tin}
    case.non_exact(70, 90)


@_story("out-wildcard-facility")
def any_facility(scene: Scene) -> None:
    """No facility is named, so any may give the service: 90 of 90."""
    case = treatment(scene)
    case.authorization.pop("facility")
    case.exact(90, 90)


@_story("out-side-compatible")
def side_compatible(scene: Scene) -> None:
    """One side authorized, both billed: modifiers 3 of 6."""
    case = treatment(scene, scene.rng.choice(SIDED_FAMILIES))
    case.line["modifiers"] = [BOTH_SIDES]
    case.non_exact(87, 90)


@_story("out-side-other")
def other_side(scene: Scene) -> None:
    """The other side billed: modifiers 0 of 6."""
    family = scene.rng.choice(SIDED_FAMILIES)
    case = treatment(scene, family)
    case.line["modifiers"] = [OTHER_SIDE[family.modifiers[0]]]
    case.non_exact(84, 90)


@_story("out-bill-type-other")
def other_bill_type(scene: Scene) -> None:
    """Authorized for a hospital, billed by a clinic: bill type 0 of 3."""
    case = treatment(scene)
    case.claim["bill_type"] = "731"
    case.non_exact(87, 90)


@_story("out-match-days")
def within_match_days(scene: Scene) -> None:
    """Found through the match days only: dates 8 of 20, never exact."""
    case = treatment(scene)
    day = scene.day(LAST_DAY + 1 + case.dice % 7)
    case.line |= {"from": day, "to": day}
    case.claim["statement"] = {"from": day, "to": day}
    case.non_exact(78, 90)


@_story("out-statement-span")
def span_of_the_statement(scene: Scene) -> None:
    """A line without days takes the statement's, which run past the end: dates 10 of 20."""
    case = treatment(scene, THERAPY)
    case.line.pop("from")
    case.line.pop("to")
    case.claim["statement"] = {"from": scene.day(LAST_DAY - 5), "to": scene.day(LAST_DAY + 5)}
    case.non_exact(80, 90)


@_story("out-other-procedure")
def other_procedure(scene: Scene) -> None:
    """The number is good, the procedure is not: 72 of 100, but nothing for the procedure."""
    case = treatment(scene)
    case.quote()
    case.line["procedure"] = ABSENT.first
    case.nothing(also=("invalid-on-claim",))


@_story("out-two-numbers")
def two_numbers(scene: Scene) -> None:
    """Two numbers on one claim, each good for one of its lines: 100 of 100 on both."""
    case = treatment(scene, THERAPY)
    other = authorize(scene, KNEE_REPLACEMENT, case.organization)
    case.quote()
    case.quote(scene.typed(other))
    case.claim["diagnoses"].append({"code": KNEE_REPLACEMENT.diagnosis, "type": "ABF"})
    case.exact(100, 100)
    line = billed_line(scene, KNEE_REPLACEMENT) | {"revenue_code": KNEE_REPLACEMENT.revenue}
    line.pop("place_of_service")
    line.pop("diagnosis_pointers")
    case.next_line(**line)
    case.exact(100, 100, other)


@_story("out-unknown-number")
def unknown_number(scene: Scene) -> None:
    """All as authorized, but a number that nobody has: 0 of 10, not exact, and reported."""
    case = treatment(scene)
    case.quote(scene.unknown_number())
    case.non_exact(90, 100, also=("invalid-on-claim",))


@_story("out-open-end", is_last=True)
def open_end(scene: Scene) -> None:
    """Without a last day the authorization holds: 90 of 90, months later."""
    case = treatment(scene, last=None)
    day = scene.day(FIRST_DAY + 150 + case.dice % 100)
    case.line |= {"from": day, "to": day}
    case.claim |= {"statement": {"from": day, "to": day}, "received_on": scene.day(300)}
    case.exact(90, 90)


@_story("out-denied")
def denied(scene: Scene) -> None:
    """Denied, and nothing else fits."""
    case = treatment(scene)
    scene.decide(case.authorization, "A3")
    case.not_usable("denied", 90, 90)


@_story("out-pending")
def pending(scene: Scene) -> None:
    """Pended, and nothing else fits."""
    case = treatment(scene)
    scene.decide(case.authorization, "A4")
    case.not_usable("pending", 90, 90)
