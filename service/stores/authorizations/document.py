"""An authorization as it is stored: effective lines, fields for filters, the source as pushed."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from service.accounting.limits.lines import follow, how_counted, lines_of, read_lines
from service.comparison.comparison import held
from service.domain import codes
from service.domain.authorization import GRANTING_ACTIONS, Authorization
from service.domain.candidate import Candidate
from service.domain.canonical import canonical_form
from service.domain.effective import (
    LineValues,
    effective_action,
    effective_days,
    effective_lines,
    numbers_of,
)
from service.domain.reference import StoredReferences, attached_values
from service.domain.submission import Pushed
from service.domain.terms import Form, counting_in, terms_in, with_counting

Document = dict[str, Any]

_ENDS = {"first": "gte", "last": "lte"}
"""How a range of Elasticsearch names the ends of a validity."""
_NPIS = ("servicing_provider.npi", "requesting_provider.npi", "facility.npi")

_KEPT = ("version", "content_hash", "void", "made_of")
"""What stays when a document is made anew: its source does not say it."""


def content_hash(authorization: Authorization) -> str:
    """Give the SHA-256 of what was pushed; null and absent are the same, order does not matter."""
    return hash_of(canonical_form(authorization))


def hash_of(form: Form) -> str:
    """Give the same, of the authorization's canonical form."""
    content = orjson.dumps(form)
    if b'"attached"' in content:
        content = orjson.dumps(form, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()


class Known(NamedTuple):
    """What of an authorization was made already: its canonical form, and its effective lines."""

    form: Form
    lines: Sequence[LineValues]


def make_document(
    payer: str,
    pushed: Pushed,
    references: StoredReferences,
    *,
    known: Known | None = None,
    inherited: Iterable[str] = (),
    superseded_by: str | None = None,
    pushed_at: str | None = None,
) -> Document:
    """Make the document; ``inherited`` numbers are those of authorizations that it supersedes."""
    authorization = pushed.authorization
    inherited = sorted(set(inherited))
    numbers = numbers_of(authorization, inherited)
    form, lines = known or (canonical_form(authorization), ())
    if known is None or inherited:
        lines = effective_lines(authorization, references, numbers)
    document: Document = {
        "payer": payer,
        "member_id": authorization.member.id,
        "authorization_id": authorization.authorization_id,
        "version": authorization.version,
        "kind": authorization.kind,
        "setting": _settings(authorization, lines),
        "numbers_all": numbers,
        "inherited_numbers": inherited,
        "provider_npis": _npis(lines),
        "void": authorization.is_void,
        "current": superseded_by is None,
        "windows": _windows(lines),
        "lines": [line | {"effective": _range(line["effective"])} for line in lines],
        "terms": with_counting(
            terms_in(form),
            how_counted(authorization),
        ),
        "source": pushed.source,
    }
    sometimes = {
        **_said(authorization),
        "superseded_by": superseded_by,
        "certification_date": _first(line.get("certification_date") for line in lines),
        "starts_on": _first(line["effective"].get("first") for line in lines),
        "pushed_at": pushed_at,
    }
    document.update((name, value) for name, value in sometimes.items() if value is not None)
    if authorization.attached:
        document |= attached_values(authorization.attached, references.attached, prefix="attached.")
    return document


def _said(authorization: Authorization) -> dict[str, Any]:
    """Give what an authorization may say or not, by which it is listed and found."""
    number, decision = authorization.number, authorization.decision
    fhir_id, made_at = codes.fhir_id(authorization.authorization_id), authorization.made_at
    return {
        "number": codes.authorization_number(number) if number else None,
        "shown_number": number,
        "action": decision.action if decision else None,
        "status": authorization.status,
        "trace_numbers": list(authorization.trace_numbers) or None,
        "fhir_id": fhir_id if fhir_id != authorization.authorization_id else None,
        "created": made_at.isoformat() if made_at else None,
    }


def _first(days: Iterable[str | None]) -> str | None:
    return min(filter(None, days), default=None)


def made_anew(
    document: Document, references: StoredReferences, inheriting: Iterable[str] = ()
) -> Document:
    """Make a stored document from its source once more, with these inherited numbers as well."""
    source = document["source"]
    made = make_document(
        document["payer"],
        Pushed(authorization=Authorization.model_validate(source), source=source),
        references,
        inherited=(*document.get("inherited_numbers", ()), *inheriting),
        superseded_by=document.get("superseded_by"),
        pushed_at=document.get("pushed_at"),
    )
    counted = counting_in(document["terms"])
    made = with_untold(made, counted.untold if counted else ())
    return made | {name: document[name] for name in _KEPT if name in document}


def with_untold(document: Document, lines: Sequence[int]) -> Document:
    """Mark lines of which nobody can say what was drawn before, in the measure that they have."""
    counted = counting_in(document["terms"])
    if not lines or counted is None:
        return document
    terms = with_counting(document["terms"], counted._replace(untold=tuple(lines)))
    return document | {"terms": terms}


def lessens(document: Document, authorization: Authorization) -> bool:
    """Whether a version takes back a line, a decision or days of the one that is stored."""
    counted = counting_in(document["terms"])
    old = read_lines(counted.lines) if counted else ()
    found = follow(old, lines_of(authorization), ())
    numbers = {line.line: line for line in authorization.lines}
    for line in document["lines"]:
        now = found.get(line["line"], ())
        if len(now) != 1:  # gone, or told apart by days
            return True
        scope = numbers.get(now[0], authorization)
        window = effective_days(scope, authorization)
        is_granted = effective_action(scope, authorization) in GRANTING_ACTIONS
        if window is None or (line.get("action") in GRANTING_ACTIONS and not is_granted):
            return True
        first, last = (line["effective"].get(_ENDS[end]) for end in ("first", "last"))
        if window.from_ and (first is None or window.from_.isoformat() > first):
            return True
        if window.to and (last is None or window.to.isoformat() < last):
            return True
    return False


def _windows(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, str]]:
    """Give the days of all lines, each window once."""
    once = {tuple(line["effective"].items()): line["effective"] for line in lines}
    return list(map(_range, once.values()))


def _range(days: Mapping[str, str]) -> dict[str, str]:
    return {_ENDS[end]: day for end, day in days.items()}


def _read_line(stored: Mapping[str, Any]) -> LineValues:
    days = stored["effective"]
    return {**stored, "effective": {end: days[name] for end, name in _ENDS.items() if name in days}}


def _settings(authorization: Authorization, lines: Iterable[Mapping[str, Any]]) -> str | list[str]:
    """Give the setting, or all that any of the lines has."""
    every = {each for line in lines for each in held(line, "setting")} | {authorization.setting}
    return sorted(every) if len(every) > 1 else authorization.setting


def _npis(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({npi for line in lines for role in _NPIS for npi in held(line, role)})


def read_candidate(
    document: Mapping[str, Any],
    *,
    matched: Iterable[str] = (),
    score: float | None = None,
    sort: Iterable[object] = (),
) -> Candidate:
    """Read a candidate from what a search returned."""
    return Candidate(
        authorization_id=document["authorization_id"],
        version=document["version"],
        number=document.get("number"),
        shown_number=document.get("shown_number"),
        certification_date=document.get("certification_date"),
        starts_on=document.get("starts_on"),
        lines=tuple(map(_read_line, document["lines"])),
        terms=document.get("terms"),
        numbers=tuple(document.get("numbers_all", ())),
        raw_matched=frozenset(matched),
        engine_score=score,
        sort=tuple(sort),
    )
