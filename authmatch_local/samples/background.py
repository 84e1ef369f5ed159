"""The other authorizations of a member: true to life, and of no use to the claims of the stories.

Those of the stories' year name other families of services, other specialties and other
organizations than any story; those that name the same ones ended before the stories begin. So a
story's claim line finds near misses here, never an exact or non-exact match.
"""

from random import Random

from authmatch_local.samples import organizations, papers
from authmatch_local.samples.days import Days
from authmatch_local.samples.families import BACKGROUND_FAMILIES, STORY_FAMILIES, Family
from authmatch_local.samples.numbers import earlier_number_of
from authmatch_local.samples.papers import Json
from authmatch_local.samples.specialties import BACKGROUND_DENTAL, BACKGROUND_SPECIALTIES

_SETTINGS = ("professional",) * 9 + ("outpatient",) * 4 + ("referral",) * 3 + ("dental",) * 3 + (
    "inpatient",
)  # fmt: skip
_HEAVY_SETTINGS = ("professional",) * 17 + ("outpatient", "referral", "dental")
_ACTIONS: tuple[str | None, ...] = (
    *("A1",) * 70, *("A2",) * 4, *("A3",) * 8, *("A4",) * 6, *("A6",) * 4, *("CT",) * 2,
    *("NA",) * 2, *("C",) * 2, *(None,) * 2,
)  # fmt: skip
_LINE_ACTIONS = ("A1", "A3", "A6")
_PAST_SHARE = 0.35
_TEETH = ("3", "14", "19", "30")
_STAYS = (("M17.11", "470"), ("I50.23", "291"), ("J18.9", "194"), ("K57.32", "392"))
_LEVELS = ("medical-surgical", "intensive-care", "skilled-nursing")


def background(ordinal: int, member: Json, days: Days, rng: Random, *, heavy: bool) -> Json:
    """Write one authorization that no story tells of."""
    roll = rng.random
    settings = _HEAVY_SETTINGS if heavy else _SETTINGS
    setting = settings[int(roll() * len(settings))]
    is_past = setting == "inpatient" or (roll() < _PAST_SHARE and not heavy)
    first, last = _period(rng, is_past=is_past, heavy=heavy)
    action = _ACTIONS[int(roll() * len(_ACTIONS))]
    issued = first - int(roll() * 20) + 4
    paper = papers.paper(ordinal, member, days, issued=issued, action=action, rng=rng)
    _validity(paper, days, first, last, is_asked_only=action in ("A3", "A4") and roll() < 0.5)
    _WRITERS[setting](paper, rng, is_past)
    if action == "A2":
        for line in paper["lines"]:
            line["decision"] = {"action": _LINE_ACTIONS[int(roll() * 3)], "reasons": []}
    if roll() < 0.1:  # one in ten had another number
        paper["other_numbers"] = [earlier_number_of(ordinal)]
    papers.decorate(paper, paper["certification_date"], roll())
    return paper


def _period(rng: Random, *, is_past: bool, heavy: bool) -> tuple[int, int | None]:
    """First and last day; what is past ends at least 20 days before the first one."""
    if is_past:
        first = -700 + int(rng.random() * 580)
        return first, first + int(rng.random() * 100)
    if heavy:
        return -60 + int(rng.random() * 50), 420 + int(rng.random() * 100)
    first = -30 + int(rng.random() * 360)
    return first, None if rng.random() < 0.06 else first + 20 + int(rng.random() * 340)


def _validity(
    paper: Json, days: Days, first: int, last: int | None, *, is_asked_only: bool
) -> None:
    """Date the paper; what was never granted often has only the dates that were asked for."""
    field = "requested_dates" if is_asked_only else "effective"
    paper[field] = {"from": days[first], "to": None if last is None else days[last]}


def _family(rng: Random, is_past: bool) -> Family:
    families = STORY_FAMILIES if is_past and rng.random() < 0.5 else BACKGROUND_FAMILIES
    return families[int(rng.random() * len(families))]


def _lines(paper: Json, family: Family, rng: Random) -> None:
    """Scope one to three lines by range, by group, or by single codes."""
    units = 4 + int(rng.random() * 30)
    shape = rng.random()
    if shape < 0.35:  # ranges
        procedures: list[Json] = [{"from": family.first, "to": family.last, "code_system": "HCPCS"}]
    elif shape < 0.5:  # groups
        procedures = [{"group": family.group}]
    else:
        count = 1 + int(rng.random() * 3)
        procedures = [{"from": code, "code_system": "HCPCS"} for code in family.codes[:count]]
    modifiers = list(family.modifiers)
    for number, procedure in enumerate(procedures, 1):
        line: Json = {"line": number, "procedure": procedure, "modifiers": modifiers}
        granted = papers.limits(units, family.unit, family.price, rng.random())
        if granted:
            line["limits"] = granted
        paper["lines"].append(line)
    if family.service_type:
        paper["service_type"] = family.service_type
    paper["diagnoses"] = [{"code": family.diagnosis, "type": "ABK"}]
    paper["requested"] = {"units": str(units + 6), "unit": family.unit}


def _professional(paper: Json, rng: Random, is_past: bool) -> None:
    family, organization = _family(rng, is_past), organizations.of_the_background(rng)
    _lines(paper, family, rng)
    paper["requesting_provider"] = {"npi": organization.referrer, "tin": organization.tin}
    paper["servicing_provider"] = {
        "npi": organization.clinicians[int(rng.random() * 4)],
        "tin": organization.tin,
        "taxonomy": [family.taxonomy],
        "group_scope": "either",
    }
    if rng.random() < 0.5:  # half are bound to a place
        paper["place_of_service"] = family.place


def _outpatient(paper: Json, rng: Random, is_past: bool) -> None:
    family, organization = _family(rng, is_past), organizations.of_the_background(rng)
    paper["setting"] = "outpatient"
    _lines(paper, family, rng)
    for line in paper["lines"]:
        line["revenue_code"] = family.revenue
    paper["facility"] = {"npi": organization.facility, "tin": organization.tin}
    paper["bill_type"] = "13"


def _referral(paper: Json, rng: Random, _: bool) -> None:
    specialty = BACKGROUND_SPECIALTIES[int(rng.random() * len(BACKGROUND_SPECIALTIES))]
    organization = organizations.of_the_background(rng)
    paper["kind"] = "referral"
    paper["requesting_provider"] = {"npi": organization.referrer, "tin": organization.tin}
    # Always a provider of its own: one open to any provider would earn points for every specialist.
    paper["servicing_provider"] = {
        "npi": organization.clinicians[0],
        "tin": organization.tin,
        "taxonomy": [specialty.taxonomy],
    }
    paper["diagnoses"] = [{"code": specialty.diagnosis, "type": "ABK"}]
    paper["limits"] = {"units": "3", "unit": "VS"}


def _dental(paper: Json, rng: Random, _: bool) -> None:
    family = BACKGROUND_DENTAL[int(rng.random() * len(BACKGROUND_DENTAL))]
    organization = organizations.of_the_background(rng)
    paper["setting"] = "dental"
    paper["servicing_provider"] = {
        "npi": organization.clinicians[0],
        "tin": organization.tin,
        "taxonomy": ["1223G0001X"],
    }
    code = family.codes[int(rng.random() * len(family.codes))]
    line: Json = {"line": 1, "procedure": {"from": code, "code_system": "CDT"}}
    if family.group == "dental-extractions":
        line["tooth"] = _TEETH[int(rng.random() * 4)]
    line["unit_price"] = f"{family.price}.00"
    paper["lines"].append(line)
    paper["limits"] = {"units": "2", "unit": "UN"}


def _inpatient(paper: Json, rng: Random, _: bool) -> None:
    diagnosis, drg = _STAYS[int(rng.random() * len(_STAYS))]
    organization = organizations.of_the_background(rng)
    paper["setting"] = "inpatient"
    paper["facility"] = {"npi": organization.facility, "tin": organization.tin}
    dates = paper.get("effective") or paper["requested_dates"]
    paper["admission"] = {"date": dates["from"], "type": "3", "source": "1"}
    paper["bill_type"] = "11"
    paper["level_of_care"] = _LEVELS[int(rng.random() * 3)]
    paper["diagnoses"] = [{"code": diagnosis, "type": "ABK"}]
    paper["drg"] = drg
    paper["limits"] = {"units": "6", "unit": "DA"}


_WRITERS = {
    "professional": _professional,
    "outpatient": _outpatient,
    "referral": _referral,
    "dental": _dental,
    "inpatient": _inpatient,
}
