"""Stories of dental claims.

A crown or root canal can reach 72 points (procedure 30, tooth 16, provider 16, dates 10), a filling
80 with its surfaces (8), a scaling 66 (quadrant 10 instead of the tooth); a number adds 10.
"""

from authmatch_local.samples.case import Case
from authmatch_local.samples.dental_case import DENTIST, dental_visit
from authmatch_local.samples.professional_case import LAST_DAY
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.specialties import (
    ABSENT_DENTAL,
    ARCHES,
    CROWN,
    FILLING,
    NEIGHBOR,
    QUADRANTS,
    ROOT_CANAL,
    SCALING,
)
from authmatch_local.samples.story import Stories

STORIES = Stories("dental")
_story = STORIES.story


def _on_a_tooth(scene: Scene) -> tuple[Case, str]:
    """A crown or root canal on the authorized tooth."""
    family = scene.rng.choice((CROWN, CROWN, ROOT_CANAL))
    case = dental_visit(scene, family, is_ruled=family is CROWN)
    tooth = scene.rng.choice(tuple(QUADRANTS))
    case.service["tooth"] = tooth
    case.line["teeth"] = [{"tooth": tooth}]
    return case, tooth


def _filling(scene: Scene, authorized: list[str], billed: list[str]) -> Case:
    case = dental_visit(scene, FILLING)
    tooth = scene.rng.choice(tuple(QUADRANTS))
    case.service |= {"tooth": tooth, "surfaces": authorized}
    case.line["teeth"] = [{"tooth": tooth, "surfaces": billed}]
    return case


def _scaling(scene: Scene, authorized: str, billed: str) -> Case:
    case = dental_visit(scene, SCALING)
    case.service["oral_cavity"] = [authorized]
    case.line["oral_cavity"] = [billed]
    return case


@_story("den-exact", weight=4)
def exact(scene: Scene) -> None:
    """The authorized tooth, no number: 72 of 72."""
    _on_a_tooth(scene)[0].exact(72, 72)


@_story("den-exact-number", weight=2)
def exact_with_number(scene: Scene) -> None:
    """The authorized tooth and the number: 82 of 82."""
    case, _ = _on_a_tooth(scene)
    case.quote()
    case.exact(82, 82)


@_story("den-predetermination")
def predetermination(scene: Scene) -> None:
    """The number comes as one of a predetermination (G3): 82 of 82."""
    case, _ = _on_a_tooth(scene)
    case.quote(kind="predetermination", level="line")
    case.exact(82, 82)


@_story("den-surfaces")
def surfaces(scene: Scene) -> None:
    """The authorized surfaces, or fewer: 80 of 80."""
    billed = scene.rng.choice((["M", "O"], ["O"], ["O", "M"]))
    _filling(scene, ["M", "O"], billed).exact(80, 80)


@_story("den-surface-extra")
def surface_extra(scene: Scene) -> None:
    """The right tooth, a surface too many: surface 4 of 8."""
    _filling(scene, ["M", "O"], ["M", "O", "D"]).non_exact(76, 80)


@_story("den-surface-overlap")
def surface_overlap(scene: Scene) -> None:
    """The right tooth, one surface of two: surface 4 of 8."""
    _filling(scene, ["M", "O"], ["O", "D"]).non_exact(76, 80)


@_story("den-surface-other")
def surface_other(scene: Scene) -> None:
    """The right tooth, other surfaces: 0 of 8."""
    _filling(scene, ["M", "O"], ["B", "D"]).non_exact(72, 80)


@_story("den-tooth-in-quadrant")
def tooth_in_quadrant(scene: Scene) -> None:
    """A tooth of the authorized quadrant: tooth 10 of 16."""
    case, tooth = _on_a_tooth(scene)
    case.service.pop("tooth")
    case.service["oral_cavity"] = [QUADRANTS[tooth]]
    case.non_exact(66, 72)


@_story("den-other-tooth")
def other_tooth(scene: Scene) -> None:
    """The tooth beside: 0 of 16."""
    case, tooth = _on_a_tooth(scene)
    case.line["teeth"] = [{"tooth": NEIGHBOR[tooth]}]
    case.non_exact(56, 72)


@_story("den-missing-tooth")
def missing_tooth(scene: Scene) -> None:
    """No tooth on a code that is billed by tooth: not evaluated, and bars exact; 56 of 56."""
    case, _ = _on_a_tooth(scene)
    case.line.pop("teeth")
    case.non_exact(56, 56)


@_story("den-quadrant", weight=2)
def quadrant(scene: Scene) -> None:
    """The authorized quadrant: 66 of 66."""
    area = scene.rng.choice(tuple(ARCHES))
    _scaling(scene, area, area).exact(66, 66)


@_story("den-quadrant-in-arch")
def quadrant_in_arch(scene: Scene) -> None:
    """A quadrant of the authorized arch: 6 of 10."""
    area = scene.rng.choice(tuple(ARCHES))
    _scaling(scene, ARCHES[area], area).non_exact(62, 66)


@_story("den-group")
def group(scene: Scene) -> None:
    """A code of the authorized group: procedure 22 of 30."""
    case, _ = _on_a_tooth(scene)
    is_crown = case.line["procedure"] in CROWN.codes
    case.service["procedure"] = {"group": (CROWN if is_crown else ROOT_CANAL).group}
    case.non_exact(64, 72)


@_story("den-same-category")
def same_category(scene: Scene) -> None:
    """A filling where a crown was authorized: both restorative, procedure 8 of 30."""
    case = dental_visit(scene, CROWN)
    case.service["tooth"] = "14"
    case.line |= {"procedure": "D2391", "teeth": [{"tooth": "14"}]}
    case.non_exact(50, 72)


@_story("den-tin")
def tin(scene: Scene) -> None:
    """Another dentist of the practice: provider 11 of 16."""
    case, _ = _on_a_tooth(scene)
    case.claim["rendering_provider"] = {"npi": case.organization.clinicians[1]}
    case.non_exact(67, 72)


@_story("den-specialty")
def specialty(scene: Scene) -> None:
    """A dentist of another practice: provider 6 of 16."""
    case, _ = _on_a_tooth(scene)
    stranger = scene.stranger()
    case.claim["rendering_provider"] = {"npi": stranger.clinicians[0], "taxonomy": [DENTIST]}
    case.claim["billing_provider"] = {"npi": stranger.billing, "tin": stranger.tin}
    case.non_exact(62, 72)


@_story("den-match-days")
def within_match_days(scene: Scene) -> None:
    """Found through the match days only, a crown seated late: dates 4 of 10."""
    case, _ = _on_a_tooth(scene)
    day = scene.day(LAST_DAY + 1 + case.dice % 7)
    case.line |= {"from": day, "to": day}
    case.non_exact(66, 72)


@_story("den-other-procedure")
def other_procedure(scene: Scene) -> None:
    """Braces where a crown was authorized: nothing."""
    case, _ = _on_a_tooth(scene)
    case.line |= {"procedure": ABSENT_DENTAL.first}
    case.nothing()


@_story("den-unknown-number")
def unknown_number(scene: Scene) -> None:
    """A number that nobody has: 0 of 10, not exact, and reported."""
    case, _ = _on_a_tooth(scene)
    case.quote(scene.unknown_number())
    case.non_exact(72, 82, also=("invalid-on-claim",))


@_story("den-unknown-number-on-line")
def unknown_number_on_the_line(scene: Scene) -> None:
    """The same at the level of the line: its own event."""
    case, _ = _on_a_tooth(scene)
    case.quote(scene.unknown_number(), level="line")
    case.non_exact(72, 82, also=("invalid-on-line",))


@_story("den-denied")
def denied(scene: Scene) -> None:
    """Denied, and nothing else fits."""
    case, _ = _on_a_tooth(scene)
    scene.decide(case.authorization, "A3")
    case.not_usable("denied", 72, 72)


@_story("den-pending")
def pending(scene: Scene) -> None:
    """Pended, and nothing else fits."""
    case, _ = _on_a_tooth(scene)
    scene.decide(case.authorization, "A4")
    case.not_usable("pending", 72, 72)
