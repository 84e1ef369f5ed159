"""Stories of professional claims: numbers on the claim. The number is worth 10 of 100 points."""

from authmatch_local.samples.case import Case
from authmatch_local.samples.families import AIRWAY_DEVICE, THERAPY
from authmatch_local.samples.papers import Json
from authmatch_local.samples.professional_case import authorize, billed_line, visit
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.story import Stories

STORIES = Stories("professional")
_story = STORIES.story


@_story("prof-unknown-number")
def unknown_number(scene: Scene) -> None:
    """All as authorized, but a number that nobody has: 0 of 10, not exact, and reported."""
    case = visit(scene)
    case.quote(scene.unknown_number())
    case.non_exact(90, 100, also=("invalid-on-claim",))


@_story("prof-unknown-number-on-line")
def unknown_number_on_the_line(scene: Scene) -> None:
    """The same at the level of the line: its own event."""
    case = visit(scene)
    case.quote(scene.unknown_number(), level="line")
    case.non_exact(90, 100, also=("invalid-on-line",))


@_story("prof-number-of-another-member")
def number_of_another_member(scene: Scene) -> None:
    """The number of another member is answered like one that does not exist."""
    case = visit(scene)
    case.quote(scene.number_of_another_member())
    case.non_exact(90, 100, also=("invalid-on-claim",))


@_story("prof-number-right-on-line")
def number_on_the_line(scene: Scene) -> None:
    """The number stands on the line: 100 of 100."""
    case = visit(scene)
    case.quote(level="line")
    case.exact(100, 100)


@_story("prof-number-on-both-levels")
def number_on_both_levels(scene: Scene) -> None:
    """The same number on claim and line is against the guide, and tolerated: 100 of 100."""
    case = visit(scene)
    case.quote()
    case.quote(level="line")
    case.exact(100, 100)


@_story("prof-earlier-number")
def earlier_number(scene: Scene) -> None:
    """A number that the authorization had before finds it as it is now: 100 of 100."""
    case = visit(scene)
    field = ("other_numbers", "previous_numbers")[case.dice % 2]
    case.authorization[field] = [scene.earlier_number()]
    case.quote(scene.earlier_number().lower())
    case.exact(100, 100)


@_story("prof-superseded-authorization")
def superseded_authorization(scene: Scene) -> None:
    """The number of a superseded authorization finds the one that stands for it: 100 of 100."""
    case = visit(scene)
    current = case.twin()
    case.authorization["superseded_by"] = current["authorization_id"]
    current["supersedes"] = case.id
    current["version"] = 2
    case.quote()
    case.exact(100, 100, current)


def _two_services(scene: Scene) -> tuple[Case, Json, Json]:
    """Two authorizations of one practice, and a second claim line that is not yet on the claim."""
    case = visit(scene, THERAPY)
    other = authorize(scene, AIRWAY_DEVICE, case.organization)
    line = billed_line(scene, AIRWAY_DEVICE) | {"diagnosis_pointers": [2]}
    case.claim["diagnoses"].append({"code": AIRWAY_DEVICE.diagnosis, "type": "ABF"})
    return case, other, line


@_story("prof-number-of-another-line")
def number_of_another_line(scene: Scene) -> None:
    """A claim's number that fits its first line is not evaluated for the second: 90 of 90 there."""
    case, other, line = _two_services(scene)
    case.quote()
    case.exact(100, 100)
    case.next_line(**line)
    case.exact(90, 90, other)


@_story("prof-line-number-wins")
def number_of_the_line_wins(scene: Scene) -> None:
    """The line's own number wins over the claim's: 100 of 100 on both lines."""
    case, other, line = _two_services(scene)
    case.quote()
    case.exact(100, 100)
    case.next_line(**line)
    case.quote(scene.typed(other), level="line")
    case.exact(100, 100, other)
