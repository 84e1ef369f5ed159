"""Reads the parameters of a search for ClaimResponses, and says what of them was not understood."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from service.api.problem import Refused
from service.application.authorizations import Filter, Name, Times
from service.domain.member_ids import written_member_id
from service.ingest.fhir.reading.identity import OWN_SYSTEM

COUNT = 50
COUNT_MAX = 200
VALUES_MAX = 100
TEXT_MAX = 200
PAGE = "_page"

_QUIET = ("_format", "_pretty")
_NARROWING = ("identifier", "patient", "_id", "created")
_PREFIXED = re.compile(r"(ge|le|gt|lt|eq)?(\d{4}.*)", re.DOTALL)
_TIME = re.compile(
    r"(?P<day>\d{4}(?:-\d\d(?:-\d\d)?)?)"
    r"(?:T(?P<time>\d\d:\d\d(?P<seconds>:\d\d(?P<fraction>\.\d{1,6})?)?)"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; ``used`` are the parameters that count, ``ignored`` the names of others.

    ``is_empty``: what is asked for cannot be, such as a response to a claim.
    """

    wanted: Filter = field(default_factory=Filter)
    count: int = COUNT
    after: str | None = None
    counts_only: bool = False
    is_empty: bool = False
    used: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()


def read_search(parameters: Sequence[tuple[str, str]], *, strict: bool) -> Search:
    """Read the parameters; raises Refused (400) for one that cannot be meant.

    ``strict`` refuses what is not known, too; otherwise it is left out and told.
    """
    search = Search()
    for name, value in parameters:
        if name in _QUIET or not value:
            continue
        reader = _READERS.get(name)
        if reader is not None:
            search = reader(replace(search, used=(*search.used, (name, value))), name, value)
        elif ":" in name:
            raise _refused(name, "this modifier is not supported")
        elif strict:
            raise _refused(name, "this parameter is not supported")
        elif name not in search.ignored:
            search = replace(search, ignored=(*search.ignored, name))
    names = {name.partition(":")[0].partition(".")[0] for name, _ in search.used}
    if not names & set(_NARROWING):
        raise Refused(
            400,
            "Invalid parameter",
            "a search needs one of identifier, patient, patient.identifier, _id or created",
        )
    return search


def _refused(name: str, message: str) -> Refused:
    shown = name if len(name) <= TEXT_MAX and name.isprintable() else "a parameter"
    return Refused(400, "Invalid parameter", f"{shown}: {message}")


def _narrowed(search: Search, **changes: Any) -> Search:
    return replace(search, wanted=replace(search.wanted, **changes))


def _values(name: str, value: str) -> list[str]:
    values = [each.strip() for each in value.split(",") if each.strip()]
    if not values or len(values) > VALUES_MAX or any(len(each) > TEXT_MAX for each in values):
        raise _refused(name, f"1 to {VALUES_MAX} values of at most {TEXT_MAX} characters")
    return values


def _token(name: str, value: str) -> tuple[str, str]:
    """System and value of a token."""
    system, bar, code = value.partition("|")
    if not bar:
        return "", value
    if not code:
        raise _refused(name, "a value is needed behind the system")
    return system, code


def _identifier(search: Search, name: str, value: str) -> Search:
    tokens = [_token(name, each) for each in _values(name, value)]
    names = tuple(Name(code, is_id=system == OWN_SYSTEM) for system, code in tokens)
    return _narrowed(search, named=(*search.wanted.named, names))


def _member(search: Search, name: str, value: str) -> Search:
    """Read one member: several at once would be a listing of people."""
    _, member = _token(name, value.strip())
    member = written_member_id(member.rpartition("Patient/")[2])
    if not member or "," in member or len(member) > TEXT_MAX:
        raise _refused(name, "one member is needed")
    if search.wanted.member not in (None, member):
        return replace(search, is_empty=True)
    return _narrowed(search, member=member)


def _id(search: Search, name: str, value: str) -> Search:
    ids = set(_values(name, value))
    known = search.wanted.ids
    ids = ids & set(known) if known else ids
    return _narrowed(search, ids=tuple(sorted(ids))) if ids else replace(search, is_empty=True)


def _one_of(*ours: str) -> Callable[[Search, str, str], Search]:
    """Read a code that all that is here has: with another one nothing is found."""

    def read(search: Search, name: str, value: str) -> Search:
        codes = {_token(name, each)[1] for each in _values(name, value)}
        return search if codes & set(ours) else replace(search, is_empty=True)

    return read


def _status(search: Search, name: str, value: str) -> Search:
    codes = {_token(name, each)[1] for each in _values(name, value)} & {"active", "cancelled"}
    if len(codes) != 1:
        return search if codes else replace(search, is_empty=True)
    standing = codes == {"active"}
    if search.wanted.standing not in (None, standing):
        return replace(search, is_empty=True)
    return _narrowed(search, standing=standing)


def _made(search: Search, name: str, value: str) -> Search:
    return _narrowed(search, made=(*search.wanted.made, _times(name, value)))


def _pushed(search: Search, name: str, value: str) -> Search:
    return _narrowed(search, pushed=(*search.wanted.pushed, _times(name, value)))


def _times(name: str, value: str) -> Times:
    """Read a time with its prefix: a day, month or year stands for all of it."""
    written = _PREFIXED.fullmatch(value.strip().replace(" ", "+"))
    try:
        first, behind = _span(written[2]) if written else (None, None)
    except (ValueError, OverflowError):
        first = behind = None
    if written is None or first is None or behind is None:
        message = "ge, le, gt, lt or eq, and a date or time such as ge2026-05-01"
        raise _refused(name, message)
    match written[1]:
        case "ge":
            return {"gte": first.isoformat()}
        case "gt":
            return {"gte": behind.isoformat()}
        case "lt":
            return {"lt": first.isoformat()}
        case "le":
            return {"lt": behind.isoformat()}
    return {"gte": first.isoformat(), "lt": behind.isoformat()}


def _span(text: str) -> tuple[datetime, datetime]:
    """The first moment of a date or time, and the first one behind it; raises ValueError."""
    written = _TIME.fullmatch(text)
    if written is None:
        raise ValueError("not a date or time")
    day, time = written["day"], written["time"]
    zone = (written["zone"] or "Z").replace("Z", "+00:00")
    first = datetime.fromisoformat(f"{day}-01-01"[:10] + f"T{time or '00:00'}{zone}").astimezone(
        UTC
    )
    if time:
        return first, first + _step(written["seconds"], written["fraction"])
    if len(day) == len("YYYY"):
        return first, first.replace(year=first.year + 1)
    if len(day) == len("YYYY-MM"):
        return first, (first + timedelta(days=31)).replace(day=1)
    return first, first + timedelta(days=1)


def _step(seconds: str | None, fraction: str | None) -> timedelta:
    if seconds is None:
        return timedelta(minutes=1)
    if fraction is None:
        return timedelta(seconds=1)
    return timedelta(microseconds=10 ** (7 - len(fraction)))


def _count(search: Search, name: str, value: str) -> Search:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise _refused(name, "a whole number is needed")
    count = int(value)
    return replace(search, count=min(count, COUNT_MAX), counts_only=count == 0)


def _page(search: Search, name: str, value: str) -> Search:
    del name
    return replace(search, after=value)


def _summary(search: Search, name: str, value: str) -> Search:
    if value == "false":
        return search
    if value != "count":
        raise _refused(name, "count is the only summary")
    return replace(search, counts_only=True)


_READERS: dict[str, Callable[[Search, str, str], Search]] = {
    "identifier": _identifier,
    "patient": _member,
    "patient.identifier": _member,
    "patient:identifier": _member,
    "_id": _id,
    "use": _one_of("preauthorization"),
    "outcome": _one_of("complete"),
    "status": _status,
    "created": _made,
    "_lastUpdated": _pushed,
    "_count": _count,
    "_summary": _summary,
    PAGE: _page,
}
