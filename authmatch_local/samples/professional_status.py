"""Stories of professional claims: decisions, several authorizations, authorization and referral.

Without a number a line can reach 90 points; what is decided never changes them.
"""

from authmatch_local.samples.case import Case
from authmatch_local.samples.families import STORY_FAMILIES, THERAPY
from authmatch_local.samples.professional_case import authorized_line, visit
from authmatch_local.samples.referral_case import authorize as authorize_referral
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.story import Stories

STORIES = Stories("professional")
_story = STORIES.story


@_story("prof-two-exact", weight=2)
def two_exact(scene: Scene) -> None:
    """Two exact ones: the one certified first is drawn first, whichever was pushed first."""
    case = visit(scene)
    older = case.twin()
    older["certification_date"] = scene.day(1)
    case.exact(90, 90, older, case.authorization)


@_story("prof-same-certification-date")
def same_certification_date(scene: Scene) -> None:
    """Certified on the same day: the one that starts first is drawn first."""
    case = visit(scene)
    earlier = case.twin()
    earlier["effective"] = earlier["effective"] | {"from": scene.day(8)}
    case.exact(90, 90, earlier, case.authorization)


@_story("prof-denied")
def denied(scene: Scene) -> None:
    """Denied, and nothing else fits."""
    case = visit(scene)
    scene.decide(case.authorization, "A3")
    case.not_usable("denied", 90, 90)


@_story("prof-denied-and-active")
def denied_and_active(scene: Scene) -> None:
    """Denied once and granted once: the granted one is used, the denial is told."""
    case = visit(scene)
    refused = case.twin()
    refused["certification_date"] = scene.day(5)
    scene.decide(refused, "A3")
    case.exact(90, 90, case.authorization, also=("denied",))


@_story("prof-denied-and-non-exact")
def denied_and_non_exact(scene: Scene) -> None:
    """Denied as billed, granted for another clinician: never taken by itself."""
    case = visit(scene)
    offered = case.twin()
    offered["servicing_provider"] |= {"npi": case.organization.clinicians[1]}
    scene.decide(case.authorization, "A3")
    case.not_usable("denied", 90, 90)


@_story("prof-pending")
def pending(scene: Scene) -> None:
    """Pended, or contact the payer, and nothing else fits."""
    case = visit(scene)
    scene.decide(case.authorization, scene.rng.choice(("A4", "CT")))
    case.not_usable("pending", 90, 90)


@_story("prof-pending-and-active")
def pending_and_active(scene: Scene) -> None:
    """One is pended, the other granted: the granted one is used, without an event."""
    case = visit(scene)
    waiting = case.twin()
    waiting["certification_date"] = scene.day(5)
    scene.decide(waiting, "A4")
    case.exact(90, 90)


@_story("prof-partial-decision")
def partial_decision(scene: Scene) -> None:
    """Certified in part: each line has its own decision, and one without is still pended."""
    case = visit(scene, THERAPY)
    granted, refused, open_, _ = THERAPY.codes
    scene.decide(case.authorization, "A2")
    case.authorization.pop("service_type")
    lines = [
        authorized_line(THERAPY, n, code) for n, code in enumerate((granted, refused, open_), 1)
    ]
    scene.decide(lines[0], "A1")
    scene.decide(lines[1], "A3")
    case.authorization["lines"] = lines
    case.line["procedure"] = granted
    case.exact(90, 90)
    case.next_line(procedure=refused)
    case.not_usable("denied", 90, 90)
    case.next_line(procedure=open_)
    case.not_usable("pending", 90, 90)


@_story("prof-modified")
def modified(scene: Scene) -> None:
    """Modified by the reviewer: what was granted counts."""
    case = visit(scene)
    scene.decide(case.authorization, "A6")
    case.exact(90, 90)


@_story("prof-void")
def void(scene: Scene) -> None:
    """Cancelled: never a candidate."""
    case = visit(scene)
    scene.decide(case.authorization, "C")
    case.nothing()


@_story("prof-and-referral", "referral")
def authorization_and_referral(scene: Scene) -> None:
    """Both are needed and both are there: two results, 90 of 90 each."""
    case, taxonomy = _needs_both(scene)
    authorize_referral(scene, taxonomy, case.organization)
    case.exact(90, 90)
    case.template = "referral"
    case.exact(90, 90, scene.authorizations[-1])


@_story("prof-and-no-referral", "referral")
def authorization_without_referral(scene: Scene) -> None:
    """Both are needed, only the authorization is there: two results."""
    case, _ = _needs_both(scene)
    case.exact(90, 90)
    case.template = "referral"
    case.nothing()


def _needs_both(scene: Scene) -> tuple[Case, str]:
    family = scene.rng.choice(STORY_FAMILIES)
    case = visit(scene, family)
    case.claim["referring_provider"] = {"npi": case.organization.referrer}
    case.line["benefit"] = scene.benefit("authorization_and_referral")
    return case, family.taxonomy
