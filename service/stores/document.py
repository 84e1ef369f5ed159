"""An authorization as it is stored: effective lines, fields for filters, the source as pushed."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from service.domain import codes
from service.domain.authorization import Authorization
from service.domain.candidate import Candidate
from service.domain.canonical import canonical_json
from service.domain.effective import attached_values, effective_lines, numbers_of
from service.domain.reference import References
from service.domain.terms import terms_of

Document = dict[str, Any]
Source = Mapping[str, Any] | orjson.Fragment
"""An authorization as it was pushed: parsed, or the text itself."""


def content_hash(authorization: Authorization) -> str:
    """Give the SHA-256 of what was pushed; null and absent are the same, order does not matter."""
    content = canonical_json(authorization, free=("attached",))
    return hashlib.sha256(content).hexdigest()


def make_document(
    payer: str,
    authorization: Authorization,
    source: Source,
    references: References,
    *,
    inherited: Iterable[str] = (),
    superseded_by: str | None = None,
    pushed_at: str | None = None,
) -> Document:
    """Make the document; ``inherited`` numbers are those of authorizations that it supersedes."""
    inherited = sorted(set(inherited))
    lines = effective_lines(authorization, references, inherited_numbers=inherited)
    starts = [line["effective"]["gte"] for line in lines if "gte" in line["effective"]]
    dates = sorted({d for line in lines if (d := line.get("certification_date"))})
    document: Document = {
        "payer": payer,
        "member_id": authorization.member.id,
        "authorization_id": authorization.authorization_id,
        "version": authorization.version,
        "kind": authorization.kind,
        "setting": authorization.setting,
        "number": authorization.number and codes.authorization_number(authorization.number),
        "shown_number": authorization.number,
        "numbers_all": numbers_of(authorization, inherited),
        "inherited_numbers": inherited,
        "provider_npis": _npis(lines),
        "action": authorization.decision.action if authorization.decision else None,
        "status": authorization.status,
        "void": authorization.is_void,
        "current": superseded_by is None,
        "superseded_by": superseded_by,
        "certification_date": dates[0] if dates else None,
        "starts_on": min(starts, default=None),
        "windows": [dict(window) for window in {_window(line["effective"]) for line in lines}],
        "pushed_at": pushed_at,
        "lines": lines,
        "terms": orjson.Fragment(terms_of(authorization)),
        "source": source,
    }
    attached = attached_values(authorization.attached, references.attached, prefix="attached.")
    return {name: value for name, value in (document | attached).items() if value is not None}


def _window(effective: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(effective.items()))


def _npis(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    roles = ("servicing_provider.npi", "requesting_provider.npi", "facility.npi")
    return sorted({line[role] for line in lines for role in roles if role in line})


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
        lines=tuple(document["lines"]),
        terms=document.get("terms"),
        numbers=tuple(document.get("numbers_all", ())),
        raw_matched=frozenset(matched),
        engine_score=score,
        sort=tuple(sort),
    )
