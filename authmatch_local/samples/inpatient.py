"""Stories of inpatient claims.

Without a number a line can reach 90 points (facility 25, admission 25, level of care 15, diagnosis
10, bill type 10, days 5), with one 100. The match days of a stay are 3.
"""

from authmatch_local.samples.families import OTHER_DIAGNOSIS
from authmatch_local.samples.inpatient_case import INTENSIVE_CARE_BED, ROOM, move, stay
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.story import Stories

STORIES = Stories("inpatient")
_story = STORIES.story


@_story("inp-exact-number", weight=3)
def exact_with_number(scene: Scene) -> None:
    """All as authorized, the number typed by hand: 100 of 100."""
    case = stay(scene)
    case.quote()
    case.exact(100, 100)


@_story("inp-exact", weight=4)
def exact(scene: Scene) -> None:
    """The same without a number: 90 of 90."""
    stay(scene).exact(90, 90)


@_story("inp-service-facility")
def service_facility(scene: Scene) -> None:
    """The system bills, the authorized hospital is the service facility: 90 of 90."""
    case = stay(scene)
    case.claim["facility"] = case.claim["billing_provider"]
    case.claim["billing_provider"] = {
        "npi": case.organization.billing,
        "tin": case.organization.tin,
    }
    case.exact(90, 90)


@_story("inp-wildcards")
def wildcards(scene: Scene) -> None:
    """Only place and admission are named: all else is covered, 90 of 90."""
    case = stay(scene)
    for name in ("level_of_care", "diagnoses", "bill_type"):
        case.authorization.pop(name)
    case.exact(90, 90)


@_story("inp-admit-day-shift", weight=2)
def admitted_a_day_off(scene: Scene) -> None:
    """Admitted a day earlier or later: admission 20 of 25."""
    case = stay(scene)
    days = 1 if case.dice % 2 else -1
    move(case, days)
    if days > 0:
        case.non_exact(85, 90)
    else:
        # The first day lies before the authorized ones: days 3 of 5.
        case.non_exact(83, 90)


@_story("inp-admit-match-days")
def admitted_within_match_days(scene: Scene) -> None:
    """Admitted two or three days later: admission 12 of 25."""
    case = stay(scene)
    move(case, 2 + case.dice % 2)
    case.non_exact(77, 90)


@_story("inp-overlap-only")
def stay_overlaps_only(scene: Scene) -> None:
    """Admitted a week later into the authorized days: admission 8 of 25."""
    case = stay(scene)
    move(case, 8)
    case.non_exact(73, 90)


@_story("inp-long-stay")
def stayed_longer(scene: Scene) -> None:
    """Stayed beyond the end: days 3 of 5, still exact; the units will be cut back."""
    case = stay(scene, nights=20)
    case.exact(88, 90)


@_story("inp-higher-level")
def higher_level_of_care(scene: Scene) -> None:
    """Intensive care billed where a general bed was authorized: level 5 of 15."""
    case = stay(scene)
    case.line["revenue_code"] = INTENSIVE_CARE_BED
    case.non_exact(80, 90)


@_story("inp-lower-level")
def lower_level_of_care(scene: Scene) -> None:
    """A general bed billed where intensive care was authorized: level 12 of 15."""
    case = stay(scene)
    case.authorization["level_of_care"] = "intensive-care"
    case.non_exact(87, 90)


@_story("inp-step-up")
def two_levels_of_care(scene: Scene) -> None:
    """A stay in two beds: the general one exact, the intensive-care one to be looked at."""
    case = stay(scene)
    case.exact(90, 90)
    case.next_line(revenue_code=INTENSIVE_CARE_BED, units="1")
    case.non_exact(80, 90)


@_story("inp-facility-tin")
def facility_tin(scene: Scene) -> None:
    """Another hospital of the same taxpayer: facility 18 of 25."""
    case = stay(scene)
    case.claim["billing_provider"]["npi"] = case.organization.second_facility
    case.non_exact(83, 90)


@_story("inp-other-facility")
def other_facility(scene: Scene) -> None:
    """Admitted as authorized, but to another hospital: facility 0 of 25."""
    case = stay(scene)
    stranger = scene.stranger()
    case.claim["billing_provider"] = {"npi": stranger.facility, "tin": stranger.tin}
    case.non_exact(65, 90)


@_story("inp-transfer")
def transferred(scene: Scene) -> None:
    """Another hospital, two days later: 52 of 90, under 60 in a hundred."""
    case = stay(scene)
    stranger = scene.stranger()
    case.claim["billing_provider"] = {"npi": stranger.facility, "tin": stranger.tin}
    move(case, 2)
    case.nothing()


@_story("inp-readmission")
def readmitted(scene: Scene) -> None:
    """The same hospital again, weeks later: another stay."""
    case = stay(scene)
    move(case, 35)
    case.nothing()


@_story("inp-diagnosis-category")
def diagnosis_of_the_same_category(scene: Scene) -> None:
    """Another principal diagnosis of the same category: 6 of 10."""
    case = stay(scene)
    case.claim["diagnoses"] = [{"code": ROOM.diagnosis_mate, "type": "ABK"}]
    case.non_exact(86, 90)


@_story("inp-diagnosis-other")
def other_diagnosis(scene: Scene) -> None:
    """Another principal diagnosis altogether: 0 of 10."""
    case = stay(scene)
    case.claim["diagnoses"] = [{"code": OTHER_DIAGNOSIS, "type": "ABK"}]
    case.non_exact(80, 90)


@_story("inp-drg")
def same_drg(scene: Scene) -> None:
    """The group of the claim is the authorized one, whatever the diagnosis: 90 of 90."""
    case = stay(scene)
    case.authorization["drg"] = "470"
    case.claim |= {"drg": "470", "diagnoses": [{"code": OTHER_DIAGNOSIS, "type": "ABK"}]}
    case.exact(90, 90)


@_story("inp-swing-bed")
def swing_bed(scene: Scene) -> None:
    """A swing bed of a hospital for a skilled nursing facility: bill type 5 of 10."""
    case = stay(scene)
    case.authorization |= {"bill_type": "21", "level_of_care": "skilled-nursing"}
    case.claim["bill_type"] = "181"
    case.line["revenue_code"] = "0191"
    case.non_exact(85, 90)


@_story("inp-unknown-number")
def unknown_number(scene: Scene) -> None:
    """All as authorized, but a number that nobody has: 0 of 10, not exact, and reported."""
    case = stay(scene)
    case.quote(scene.unknown_number())
    case.non_exact(90, 100, also=("invalid-on-claim",))


@_story("inp-denied")
def denied(scene: Scene) -> None:
    """Denied, and nothing else fits."""
    case = stay(scene)
    scene.decide(case.authorization, "A3")
    case.not_usable("denied", 90, 90)


@_story("inp-pending")
def pending(scene: Scene) -> None:
    """Pended, and nothing else fits."""
    case = stay(scene)
    scene.decide(case.authorization, "A4")
    case.not_usable("pending", 90, 90)


@_story("inp-void")
def void(scene: Scene) -> None:
    """Cancelled: never a candidate."""
    case = stay(scene)
    scene.decide(case.authorization, "C")
    case.nothing()
