"""Claims for benchmarks: many lines, some of them covered, of an ordinary member."""

from datetime import date, timedelta

from authmatch_local.samples.days import Days
from authmatch_local.samples.families import ABSENT
from authmatch_local.samples.papers import Json
from authmatch_local.samples.scene import Scene

_DAYS_LATER = (2, 4, -3, 6, 0, 9, 11, 13, 8, 0)
"""How many days after the first authorized one each line is; one lies before it."""


def bench_claim(scene: Scene, turn: int, lines: int) -> Json:
    """Write a professional claim from a member's own authorizations, as a course of treatment.

    Of five lines three bill what one of them covers, one what another covers for another provider,
    and one what nobody authorized.
    """
    papers = [paper for paper in scene.authorizations if _is_usable(paper, scene.days[-30])]
    lead = papers[turn % len(papers)] if papers else {}
    provider = lead.get("servicing_provider", {})
    place = lead.get("place_of_service", "11")
    return {
        "claim_id": f"B{turn:09d}",
        "version": 1,
        "type": "professional",
        "member": {"id": scene.member["id"], "birth_date": scene.member["birth_date"]},
        "billing_provider": {"npi": provider.get("npi"), "tin": provider.get("tin")},
        "rendering_provider": {
            "npi": provider.get("npi"),
            "taxonomy": provider.get("taxonomy", []),
        },
        "network": "in",
        "place_of_service": place,
        "diagnoses": lead.get("diagnoses", [{"code": ABSENT.diagnosis, "type": "ABK"}]),
        "lines": [
            _line(number, _billed(number, lead, papers), scene.days) | {"place_of_service": place}
            for number in range(lines)
        ],
    }


def _billed(number: int, lead: Json, papers: list[Json]) -> Json | None:
    """The authorization whose service a line bills; none for what nobody authorized."""
    if not papers or number % 5 == 4:
        return None
    return papers[number % len(papers)] if number % 5 == 3 else lead


def _is_usable(paper: Json, earliest: str) -> bool:
    """Whether it is a professional authorization of the stories' year that names a code."""
    effective = paper.get("effective")
    return bool(
        paper["setting"] == "professional"
        and paper["kind"] == "authorization"
        and effective
        and effective["from"] >= earliest
        and any("from" in line.get("procedure", {}) for line in paper["lines"])
    )


def _line(number: int, paper: Json | None, days: Days) -> Json:
    procedure, modifiers, day = ABSENT.first, [], days[45 + number]
    if paper:
        scope = next(line for line in paper["lines"] if "from" in line.get("procedure", {}))
        procedure, modifiers = scope["procedure"]["from"], scope.get("modifiers", [])
        first = date.fromisoformat(paper["effective"]["from"])
        day = (first + timedelta(days=_DAYS_LATER[number % len(_DAYS_LATER)])).isoformat()
    return {
        "line": number + 1,
        "procedure": procedure,
        "code_system": "HCPCS",
        "modifiers": modifiers,
        "from": day,
        "to": day,
        "units": "1",
        "unit": "UN",
        "charge": "120.00",
        "diagnosis_pointers": [1],
        "benefit": {"authorization_required": True, "requested_type": "authorization"},
    }
