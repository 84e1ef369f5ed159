"""Stories of professional claims: procedure, days, modifiers, place, diagnosis, wildcards.

Without a number a line can reach 90 points (procedure 30, dates 20, provider 20, modifiers 8, place
7, diagnosis 5), with one 100.
"""

from authmatch_local.samples.families import (
    ABSENT,
    AIRWAY_DEVICE,
    BOTH_SIDES,
    INFORMATIONAL_MODIFIERS,
    OTHER_DIAGNOSIS,
    PURCHASE,
    SIDED_FAMILIES,
    THERAPY,
)
from authmatch_local.samples.professional_case import FIRST_DAY, LAST_DAY, authorized_line, visit
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.story import Stories

STORIES = Stories("professional")
_story = STORIES.story

THERAPY_EVALUATION = "97161"


@_story("prof-exact-number", weight=5)
def exact_with_number(scene: Scene) -> None:
    """All as authorized, the number typed by hand: 100 of 100."""
    case = visit(scene)
    case.quote()
    case.exact(100, 100)


@_story("prof-exact-range", weight=8)
def exact_in_range(scene: Scene) -> None:
    """A code of the authorized range, no number: 90 of 90."""
    visit(scene).exact(90, 90)


@_story("prof-exact-code", weight=4)
def exact_code(scene: Scene) -> None:
    """A single authorized code, billed as it stands: 90 of 90."""
    case = visit(scene)
    code = case.line["procedure"]
    case.service["procedure"] = {"from": code, "code_system": "CPT"}
    case.exact(90, 90)


@_story("prof-group")
def group(scene: Scene) -> None:
    """A code of the authorized group: procedure 24 of 30."""
    family = scene.rng.choice((*SIDED_FAMILIES, THERAPY))
    case = visit(scene, family)
    case.service["procedure"] = {"group": family.group}
    case.quote()
    case.non_exact(94, 100)


@_story("prof-service-type")
def service_type(scene: Scene) -> None:
    """Another code of the service type that was asked for: procedure 10 of 30."""
    case = visit(scene, THERAPY)
    case.line["procedure"] = THERAPY_EVALUATION
    case.line["benefit"] = scene.benefit("authorization")
    case.non_exact(70, 90)


@_story("prof-wildcard-procedure")
def any_procedure(scene: Scene) -> None:
    """A line without codes covers all codes: 90 of 90."""
    case = visit(scene)
    case.authorization.pop("service_type", None)
    case.service.pop("procedure")
    case.exact(90, 90)


@_story("prof-header-only")
def header_only(scene: Scene) -> None:
    """A header without lines covers all services of its provider: 90 of 90."""
    case = visit(scene)
    case.authorization.pop("service_type", None)
    case.authorization["lines"] = []
    case.exact(90, 90)


@_story("prof-wildcard-provider")
def any_provider(scene: Scene) -> None:
    """No provider is named, so any may give the service: 90 of 90."""
    case = visit(scene)
    case.authorization.pop("servicing_provider")
    case.exact(90, 90)


@_story("prof-other-procedure")
def other_procedure(scene: Scene) -> None:
    """The number is good, the procedure is not: 70 of 100, but nothing for the procedure."""
    case = visit(scene)
    case.quote()
    case.line["procedure"] = ABSENT.first
    case.line["benefit"] = scene.benefit("authorization", is_ruled=True)
    case.nothing(also=("invalid-on-claim",))


@_story("prof-lines-not-mixed")
def lines_not_mixed(scene: Scene) -> None:
    """Procedure of one line, modifier of the other: modifiers 0 of 8 on the better line."""
    case = visit(scene, AIRWAY_DEVICE)
    first, second = AIRWAY_DEVICE.codes
    other = authorized_line(AIRWAY_DEVICE, 2, second) | {"modifiers": [PURCHASE]}
    case.authorization["lines"] = [authorized_line(AIRWAY_DEVICE, 1, first), other]
    case.authorization.pop("service_type")
    case.line |= {"procedure": first, "modifiers": [PURCHASE]}
    case.line["benefit"] = scene.benefit("authorization")
    case.non_exact(82, 90)


@_story("prof-span-crosses-end")
def span_crosses_end(scene: Scene) -> None:
    """The service runs on after the last authorized day: dates 10 of 20."""
    case = visit(scene)
    case.line |= {"from": scene.day(LAST_DAY - 3), "to": scene.day(LAST_DAY + 3)}
    case.non_exact(80, 90)


@_story("prof-match-days")
def within_match_days(scene: Scene) -> None:
    """Found through the match days only, before or after: dates 8 of 20, never exact."""
    case = visit(scene)
    day = LAST_DAY + 2 + case.dice % 5
    if case.dice % 2:
        day = FIRST_DAY - 3
    case.line |= {"from": scene.day(day), "to": scene.day(day)}
    case.non_exact(78, 90)


@_story("prof-beyond-match-days")
def beyond_match_days(scene: Scene) -> None:
    """Eight days or more after the end: not a candidate."""
    case = visit(scene)
    day = LAST_DAY + 8 + case.dice % 6
    case.line |= {"from": scene.day(day), "to": scene.day(day)}
    case.nothing()


@_story("prof-line-window")
def line_window(scene: Scene) -> None:
    """The line's own days win over the header's: outside of them nothing is found."""
    case = visit(scene)
    case.service["effective"] = {"from": scene.day(FIRST_DAY), "to": scene.day(FIRST_DAY + 9)}
    case.line |= {"from": scene.day(FIRST_DAY + 30), "to": scene.day(FIRST_DAY + 30)}
    case.nothing()


@_story("prof-open-end", is_last=True)
def open_end(scene: Scene) -> None:
    """Without a last day the authorization holds: 90 of 90, a year later."""
    case = visit(scene, last=None)
    day = FIRST_DAY + 200 + case.dice % 200
    case.line |= {"from": scene.day(day), "to": scene.day(day)}
    case.claim["received_on"] = scene.day(day + 10)
    case.exact(90, 90)


@_story("prof-one-day")
def one_day(scene: Scene) -> None:
    """The first day is the last one: 90 of 90 on it."""
    case = visit(scene, last=FIRST_DAY)
    case.line |= {"from": scene.day(FIRST_DAY), "to": scene.day(FIRST_DAY)}
    case.exact(90, 90)


@_story("prof-retro")
def retrospective(scene: Scene) -> None:
    """Certified after the service: the validity counts, not the day of issue: 90 of 90."""
    case = visit(scene)
    case.authorization["certification_date"] = scene.day(LAST_DAY + 10)
    case.exact(90, 90)


@_story("prof-informational-modifier")
def informational_modifier(scene: Scene) -> None:
    """A modifier that does not change the service is ignored: 90 of 90."""
    case = visit(scene)
    case.line["modifiers"] = [*case.line["modifiers"], scene.rng.choice(INFORMATIONAL_MODIFIERS)]
    case.exact(90, 90)


@_story("prof-side-compatible")
def side_compatible(scene: Scene) -> None:
    """One side authorized, both billed: modifiers 4 of 8."""
    case = visit(scene, scene.rng.choice(SIDED_FAMILIES))
    case.line["modifiers"] = [BOTH_SIDES]
    case.non_exact(86, 90)


@_story("prof-modifier-other")
def other_modifier(scene: Scene) -> None:
    """Rental authorized, purchase billed: modifiers 0 of 8."""
    case = visit(scene, AIRWAY_DEVICE)
    case.line["modifiers"] = [PURCHASE]
    case.line["benefit"] = scene.benefit("authorization")
    case.non_exact(82, 90)


@_story("prof-modifier-missing")
def missing_modifier(scene: Scene) -> None:
    """A side authorized, none billed: no modifier is a statement too, 0 of 8."""
    case = visit(scene, scene.rng.choice(SIDED_FAMILIES))
    case.line["modifiers"] = []
    case.non_exact(82, 90)


@_story("prof-place-class")
def place_of_the_same_class(scene: Scene) -> None:
    """Telehealth for the office, off campus for on campus: place 5 of 7."""
    family = scene.rng.choice((THERAPY, AIRWAY_DEVICE, *SIDED_FAMILIES))
    case = visit(scene, family)
    case.line["place_of_service"] = family.place_mate
    case.non_exact(88, 90)


@_story("prof-diagnosis-category")
def diagnosis_of_the_same_category(scene: Scene) -> None:
    """Another diagnosis of the same category: 3 of 5."""
    case = visit(scene, THERAPY)
    case.claim["diagnoses"] = [{"code": THERAPY.diagnosis_mate, "type": "ABK"}]
    case.non_exact(88, 90)


@_story("prof-diagnosis-other")
def other_diagnosis(scene: Scene) -> None:
    """Another diagnosis altogether: 0 of 5."""
    case = visit(scene)
    case.claim["diagnoses"] = [{"code": OTHER_DIAGNOSIS, "type": "ABK"}]
    case.non_exact(85, 90)
