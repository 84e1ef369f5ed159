"""Single values of FHIR: texts, codes, days, spans, instants, quantities. None where unusable."""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from service.domain.moment import DAY, INSTANT, SECOND, Moment
from service.domain.values import COUNTED_MAX
from service.ingest.fhir.base.node import Node

Value = TypeVar("Value")

TEXT_MAX = 200
LONG_TEXT_MAX = 20_000
CODE_MAX = 30

_ALPHANUMERIC = re.compile(r"[0-9A-Za-z]")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?:T.*)?", re.DOTALL)
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]+")
_FIRST_YEAR = 1900
_EXPONENT_MAX = 15
_DECIMALS_MAX = 6
_NUMBER_CHARACTERS_MAX = 40
_SEQUENCE_MAX = 999_999


@dataclass(frozen=True, slots=True)
class Coding:
    """A code with its system; where it stands."""

    system: str
    code: str
    display: str
    node: Node


def plain(value: object) -> str:
    """A text without blanks around it; empty when it is none.

    Half of a surrogate pair, which JSON may hold, cannot be stored and is left out.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_EXPONENT_MAX else ""
    return value.encode("utf-8", "ignore").decode("utf-8").strip()


def capped(values: Iterable[Value | None], most: int, node: Node) -> list[Value]:
    """Each value once, and not more of them than the model takes."""
    kept = list(dict.fromkeys(each for each in values if each))
    if len(kept) > most:
        node.warn("too-many", f"more than {most} values: the rest is left out")
    return kept[:most]


def text(node: Node) -> str | None:
    """Read a short text; one that is too long is left out."""
    written = plain(node.value)
    if len(written) > TEXT_MAX or (node and not written):
        node.warn("value-invalid", f"a text of 1 to {TEXT_MAX} characters belongs here")
        return None
    return written or None


def number(node: Node) -> str | None:
    """Read an authorization number or a reference: a text with a letter or digit."""
    written = text(node)
    if written and not _ALPHANUMERIC.search(written):
        node.warn("value-invalid", "a number has at least one letter or digit")
        return None
    return written


def code(node: Node) -> str | None:
    """Read a code, in upper case."""
    written = plain(node.value).upper()
    if len(written) > CODE_MAX or (node and not _ALPHANUMERIC.search(written)):
        node.warn("value-invalid", f"a code of 1 to {CODE_MAX} characters belongs here")
        return None
    return written or None


def code_of(coding: Coding) -> str | None:
    """Read the code of a coding, in upper case."""
    return code(replace(coding.node, value=coding.code))


def codings(node: Node) -> list[Coding]:
    """Read the codes of a concept; also of a lone Coding, and of a bare text in its place."""
    if isinstance(node.value, str):
        bare = plain(node.value)
        return [Coding("", bare, "", node)] if bare else []
    found = node.many("coding") or ([node] if node.has("code") else [])
    return [
        Coding(plain(each.get("system").value), written, plain(each.get("display").value), each)
        for each in found
        if (written := plain(each.get("code").value))
    ]


def concept_code(node: Node) -> str | None:
    """The first code of a concept, in upper case."""
    found = codings(node)
    return code_of(found[0]) if found else None


def day(node: Node) -> str | None:
    """Read a day, of a date or dateTime; a month or year alone is none."""
    found = _days(node.value)
    if found and found[0] == found[1]:
        return found[0].isoformat()
    if node:
        node.warn("value-invalid", "a day of the calendar from 1900 on belongs here")
    return None


def span(node: Node) -> dict[str, str] | None:
    """Read days from a Period, date or dateTime; a month or year stands for all its days."""
    if not node:
        return None
    if not isinstance(node.value, dict):
        found = _days(node.value)
        if found is None:
            node.warn("value-invalid", "a date or a period belongs here")
            return None
        return {"from": found[0].isoformat(), "to": found[1].isoformat()}
    read: dict[str, date] = {}
    for name, key, end in (("start", "from", 0), ("end", "to", 1)):
        bound = node.get(name)
        found = _days(bound.value)
        if found:
            read[key] = found[end]
        elif bound:
            bound.warn("value-invalid", "a date belongs here")
    if len(read) > 1 and read["to"] < read["from"]:
        node.warn("value-invalid", "the period ends before it starts: left out")
        return None
    return {key: each.isoformat() for key, each in read.items()} or None


def _days(value: object) -> tuple[date, date] | None:
    """The first and last day that a date of FHIR stands for."""
    if not isinstance(value, str):
        return None
    written = _COMPACT.fullmatch(value.strip()) or _DATE.fullmatch(value.strip())
    if written is None:
        return None
    year, month, day_ = (int(part) if part else 0 for part in written.groups())
    if year < _FIRST_YEAR:
        return None
    try:
        if day_:
            return date(year, month, day_), date(year, month, day_)
        last = monthrange(year, month or 12)[1]
        return date(year, month or 1, 1), date(year, month or 12, last)
    except ValueError:  # also the error of monthrange
        return None


def instant(node: Node) -> datetime | None:
    """Read a point in time; a day alone is its midnight, and a time without zone is in UTC."""
    read = moment(node)
    return read.at if read else None


def moment(node: Node) -> Moment | None:
    """Read a time as exactly as it is written; a day alone, or a midnight, leaves its time open."""
    if not node:
        return None
    written = _FRACTION.sub(r"\1", plain(node.value))
    try:
        read = datetime.fromisoformat(written)
        if read.tzinfo is None:
            if len(written) > len("2026-01-01"):
                node.warn("value-invalid", "a time needs its zone: read as UTC")
            read = read.replace(tzinfo=UTC)
        at = read.astimezone(UTC)
    except (ValueError, OverflowError):
        node.warn("value-invalid", "a date with its time and zone belongs here")
        return None
    if read.timetz().replace(tzinfo=None) == time.min:
        return Moment(at, DAY)
    return Moment(at, INSTANT if "." in written else SECOND)


def quantity(node: Node) -> str | None:
    """Read a decimal of at least zero, and give it as text."""
    found = _decimal(node.value)
    if found is not None and 0 <= found <= COUNTED_MAX:
        written = format(found, "f")
        written = written.rstrip("0").rstrip(".") if "." in written else written
        if len(written.partition(".")[2]) <= _DECIMALS_MAX:
            return written
    if node:
        node.warn("value-invalid", "a quantity from 0 to 3000000000 belongs here")
    return None


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    if isinstance(value, int) and abs(value) > COUNTED_MAX:  # writing it out could take for ever
        return None
    written = str(value).strip()
    if len(written) > _NUMBER_CHARACTERS_MAX:
        return None
    try:
        found = Decimal(written)
    except InvalidOperation:
        return None
    is_small = found.is_finite() and -_NUMBER_CHARACTERS_MAX < found.adjusted() <= _EXPONENT_MAX
    return found if is_small else None


def sequence(node: Node) -> int | None:
    """Read the number of an item; None when there is none."""
    value = node.value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < CODE_MAX:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _SEQUENCE_MAX:
        return None
    return value


def numbered(nodes: Iterable[Node], name: str = "sequence") -> list[tuple[int, Node]]:
    """Each with its number; one that has none is numbered by its place."""
    return [(sequence(each.get(name)) or at, each) for at, each in enumerate(nodes, start=1)]
