"""Claims, authorizations and templates with sane defaults: a test names only what it is about.

For each of the five templates a claim and an authorization are kept that agree in everything.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from service.comparison.prepared import AskedLine, Preparation
from service.domain import codes
from service.domain.authorization import Authorization
from service.domain.candidate import Candidate
from service.domain.claim import AuthorizationKind, Claim
from service.domain.claim_values import ClaimValues, asked_for, header_values, line_values
from service.domain.effective import effective_lines, numbers_of
from service.domain.event import EventCodes
from service.domain.number_forms import NumberForms
from service.domain.reference import AttachedFields, GroupTable, References
from service.matching.answer import evidence
from service.matching.scorer import Judged, Scorer
from service.querying.library import Library, load_library

QUERIES = Path(__file__).parents[1] / "queries"
TEMPLATES = frozenset({"inpatient", "outpatient", "professional", "referral", "dental"})
"""The ids of the shipped templates."""

Fields = dict[str, Any]

_PHYSICIAN: Fields = {"npi": "1234567893", "tin": "741234567"}
_HOSPITAL: Fields = {"npi": "1477777776", "tin": "751112223"}
_NUMBER: list[Fields] = [{"value": "AU-1"}]

CLAIMS: Mapping[str, Fields] = {
    "professional": {
        "type": "professional",
        "billing_provider": {"npi": "1122334455", "tin": "741234567"},
        "rendering_provider": _PHYSICIAN,
        "place_of_service": "11",
        "diagnoses": [{"code": "M54.50", "type": "ABK"}],
        "line": {"procedure": "97112", "modifiers": ["GP"], "from": "2026-03-12"},
    },
    "outpatient": {
        "type": "institutional",
        "bill_type": "0131",
        "billing_provider": _HOSPITAL,
        "diagnoses": [{"code": "M16.11", "type": "ABK"}],
        "line": {
            "procedure": "70551",
            "modifiers": ["TC"],
            "revenue_code": "0611",
            "from": "2026-03-12",
        },
    },
    "inpatient": {
        "type": "institutional",
        "bill_type": "0111",
        "billing_provider": _HOSPITAL,
        "admission": {"date": "2026-03-12"},
        "statement": {"from": "2026-03-12", "to": "2026-03-16"},
        "drg": "470",
        "diagnoses": [{"code": "M16.11", "type": "ABK"}],
        "line": {"revenue_code": "0120"},
    },
    "dental": {
        "type": "dental",
        "rendering_provider": _PHYSICIAN,
        "billing_provider": {"npi": "1122334455", "tin": "741234567"},
        "line": {
            "procedure": "D2392",
            "teeth": [{"tooth": "14", "surfaces": ["M", "O"]}],
            "from": "2026-03-12",
        },
    },
    "referral": {
        "type": "professional",
        "authorization_numbers": [{"kind": "referral", "value": "AU-1"}],
        "rendering_provider": {**_PHYSICIAN, "taxonomy": ["207RC0000X"], "specialty": "06"},
        "referring_provider": {"npi": "1999999984", "groups": ["PCP-7"]},
        "line": {"procedure": "99203", "from": "2026-03-12"},
    },
}

AUTHORIZATIONS: Mapping[str, Fields] = {
    "professional": {
        "servicing_provider": {**_PHYSICIAN, "taxonomy": ["225100000X"], "specialty": "65"},
        "place_of_service": "11",
        "diagnoses": [{"code": "M54.50"}],
        "line": {"procedure": {"from": "97110", "to": "97140"}, "modifiers": ["GP"]},
    },
    "outpatient": {
        "facility": _HOSPITAL,
        "bill_type": "0131",
        "diagnoses": [{"code": "M16.11"}],
        "line": {"procedure": {"from": "70551"}, "modifiers": ["TC"], "revenue_code": "0611"},
    },
    "inpatient": {
        "facility": _HOSPITAL,
        "bill_type": "0111",
        "admission": {"date": "2026-03-12"},
        "effective": {"from": "2026-03-12", "to": "2026-03-16"},
        "level_of_care": "medical-surgical",
        "drg": "470",
        "diagnoses": [{"code": "M16.11"}],
        "line": {},
    },
    "dental": {
        "servicing_provider": _PHYSICIAN,
        "line": {
            "procedure": {"from": "D2392"},
            "tooth": "14",
            "surfaces": ["M", "O"],
        },
    },
    "referral": {
        "kind": "referral",
        "setting": "professional",
        "servicing_provider": {**_PHYSICIAN, "taxonomy": ["207RC0000X"], "specialty": "06"},
        "requesting_provider": {"npi": "1999999984", "provider_group": "PCP-7"},
        "line": {"procedure": {"from": "99203"}},
    },
}


def build_claim(
    query: str = "professional",
    *,
    line: Fields | None = None,
    lines: Iterable[Fields] | None = None,
    **claim: Any,
) -> Claim:
    """Make a claim; ``line`` changes its one line, ``lines`` changes a copy of it for each."""
    fields = dict(CLAIMS[query])
    usual = {"units": "1", "unit": "UN", **fields.pop("line")}
    changes = [line or {}] if lines is None else lines
    return Claim.model_validate(
        {
            "claim_id": "C-1",
            "member": {"id": "M0001"},
            "authorization_numbers": _NUMBER,
            **fields,
            **claim,
            "lines": [
                {"line": number, **usual, **change} for number, change in enumerate(changes, 1)
            ],
        }
    )


def build_authorization(
    query: str = "professional",
    *,
    line: Fields | None = None,
    lines: Iterable[Fields] | None = None,
    **header: Any,
) -> Authorization:
    """Make an authorization that covers the claim of the same query in full."""
    fields = dict(AUTHORIZATIONS[query])
    usual = fields.pop("line")
    changes = [line or {}] if lines is None else lines
    return Authorization.model_validate(
        {
            "authorization_id": "A1",
            "version": 1,
            "kind": "authorization",
            "setting": query,
            "number": "AU-1",
            "decision": {"action": "A1"},
            "certification_date": "2026-02-20",
            "effective": {"from": "2026-03-01", "to": "2026-05-31"},
            "member": {"id": "M0001"},
            **fields,
            **header,
            "lines": [
                {"line": number, **usual, **change} for number, change in enumerate(changes, 1)
            ],
        }
    )


def build_candidate(authorization: Authorization | None = None, **found: Any) -> Candidate:
    """Make the candidate that a search would return for an authorization."""
    authorization = build_authorization() if authorization is None else authorization
    numbers = numbers_of(authorization, found.pop("inherited_numbers", ()))
    lines = effective_lines(authorization, references(), numbers)
    issued = sorted(line["certification_date"] for line in lines if "certification_date" in line)
    starts = sorted(line["effective"]["first"] for line in lines if "first" in line["effective"])
    number = authorization.number
    usual: Fields = {
        "authorization_id": authorization.authorization_id,
        "version": authorization.version,
        "number": codes.authorization_number(number) if number else None,
        "shown_number": authorization.number,
        "certification_date": issued[0] if issued else None,
        "starts_on": starts[0] if starts else None,
        "lines": tuple(lines),
        "numbers": tuple(numbers),
    }
    return Candidate(**{**usual, **found})


def values_of(
    claim: Claim, *, line: int = 1, requested: AuthorizationKind = "authorization"
) -> ClaimValues:
    """Give what a template sees of one line of a claim."""
    attached = references().attached
    header = {**header_values(claim, attached), **asked_for(requested)}
    return line_values(claim, claim.lines[line - 1], header, attached)


def ask(
    claim: Claim | None = None,
    query: str = "professional",
    *,
    line: int = 1,
    requested: AuthorizationKind | None = None,
    library: Library | None = None,
) -> AskedLine:
    """Set a claim line against a template, one of the shipped ones if no other is given."""
    claim = build_claim(query) if claim is None else claim
    kind = requested or ("referral" if query == "referral" else "authorization")
    plan = (library or shipped()).plans[query]
    return Preparation(plan).line(line, values_of(claim, line=line, requested=kind))


def judge(asked: AskedLine, *candidates: Candidate | Authorization) -> list[Judged]:
    """Judge candidates, or authorizations, against a claim line."""
    made = [
        build_candidate(each) if isinstance(each, Authorization) else each for each in candidates
    ]
    return Scorer(made).judge(asked)


def told(judged: Judged, criterion: str) -> str:
    """Tell of one criterion: grade, level, points of what could be reached."""
    (found,) = [each for each in evidence(judged) if each["criterion"] == criterion]
    level = found["level"] if found["grade"] in ("full", "partial") else None
    return " ".join(filter(None, (found["grade"], level, f"{found['points']}/{found['of']}")))


@cache
def references() -> References:
    """Give the shipped reference tables."""
    read = YAML(typ="safe", pure=True).load
    loaded = [read(path) for path in sorted((QUERIES / "reference").glob("*.yaml"))]
    groups = {
        each["id"]: GroupTable.model_validate(each) for each in loaded if each["kind"] == "groups"
    }
    (attached,) = (each for each in loaded if each["kind"] == "attached-fields")
    (numbers,) = (each for each in loaded if each["kind"] == "number-forms")
    informational = groups["informational-modifiers"].groups.values()
    return References(
        groups=groups,
        attached=AttachedFields.model_validate(attached),
        numbers=NumberForms.model_validate(numbers),
        informational_modifiers=frozenset(code for each in informational for code in each.members),
    )


@cache
def event_codes() -> EventCodes:
    """Give the shipped event codes."""
    path = QUERIES / "reference" / "event-codes.yaml"
    return EventCodes.model_validate(YAML(typ="safe", pure=True).load(path))


@cache
def template_texts() -> Mapping[str, str]:
    """Give the shipped templates as text, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in QUERIES.glob("*.yaml")}


@cache
def shipped() -> Library:
    """Give the shipped templates, ready to use."""
    return load_library(template_texts(), references())


def changed(query: str, settings: str) -> Library:
    """Give a shipped template with something changed: YAML that stands in a template on top of it.

    It keeps the name of the template that it changes.
    """
    own = "api: authmatch/v1\nkind: QueryTemplate\nversion: 1\ntitle: changed\n"
    text = f"{own}id: changed\nextends: {query}\n{settings}"
    library = load_library({**template_texts(), "changed.yaml": text}, references())
    if library.problems:
        raise ValueError("\n".join(map(str, library.problems)))
    return Library({query: library.plans["changed"]}, {}, ())
