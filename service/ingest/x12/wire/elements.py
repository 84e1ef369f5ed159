"""Reads single elements: days, numbers, codes, ids. What cannot be read is a finding, and None."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache

from service.domain.moment import DAY, INSTANT, MINUTE, SECOND, Moment, finest, in_order
from service.domain.values import COUNTED_MAX
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.segment import Segment

TEXT_CHARACTERS_MAX = 200
CODE_CHARACTERS_MAX = 30
_CACHED = 16_384
"""The same days, amounts and codes come again and again in a file: so many are remembered."""

_NUMBER = re.compile(r"\+?(\d*)(?:\.(\d*))?")
_WHOLE_DIGITS_MAX, _DECIMALS_MAX = 15, 6
_EARLIEST_YEAR = 1900
_DAY_DIGITS = 8
_CENTURY_PIVOT = 50
_ALPHANUMERIC = re.compile(r"[0-9A-Za-z]")
_NPI = re.compile(r"[0-9]{10}")
_TIN = re.compile(r"[0-9]{9}")
_MOMENT = r"(\d{8})(?:\d{2}){0,3}"
_DAY = re.compile(_MOMENT)
_DAYS = re.compile(rf"{_MOMENT}-{_MOMENT}")
_SHORT_DAY = re.compile(r"\d{6}")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d)(\d{0,2}))?")
_RANGES = frozenset({"RD8", "RDT", "RD6"})


@dataclass(frozen=True, slots=True)
class Span:
    """Days from a first to a last one, as ISO days; one day has both the same."""

    first: str
    last: str
    is_range: bool


class Elements:
    """Reads the elements of one loop, and notes what cannot be read."""

    __slots__ = ("findings", "loop")

    def __init__(self, findings: Findings, loop: str) -> None:
        self.findings = findings
        self.loop = loop

    def note(
        self, code: str, segment: Segment, element: int | None = None, component: int | None = None
    ) -> None:
        """Note a finding of this loop."""
        self.findings.add(code, segment, element, loop=self.loop, component=component)

    def text(
        self, segment: Segment, element: int, characters_max: int = TEXT_CHARACTERS_MAX
    ) -> str:
        """Read a text, cut off where it is too long to be kept."""
        text = segment.get(element)
        if len(text) > characters_max:  # hardly ever
            self.note("element-too-long", segment, element)
            text = text[:characters_max].strip()
        return text

    def code(self, segment: Segment, element: int, component: int | None = None) -> str | None:
        """Read a code: at least one letter or digit, in upper case."""
        text = segment.part(element, component) if component else segment.get(element)
        return self.as_code(text, segment, element, component)

    def as_code(
        self, text: str, segment: Segment, element: int, component: int | None = None
    ) -> str | None:
        """Take a text as a code."""
        if not text:
            return None
        if not is_code(text):
            self.note("code-invalid", segment, element, component)
            return None
        return text.upper()

    def codes(self, segment: Segment, element: int) -> list[str]:
        """Read the repetitions of a code."""
        read = (self.as_code(each, segment, element) for each in segment.repeats(element))
        return list(dict.fromkeys(code for code in read if code))

    def number(self, segment: Segment, element: int) -> str | None:
        """Read a quantity or an amount of at least zero, as a decimal string."""
        text = segment.get(element)
        if not text:
            return None
        written = as_number(text)
        if written is None:
            self.note("number-invalid", segment, element)
        return written

    def span(self, segment: Segment, element: int, form: int | None = None) -> Span | None:
        """Read a day or a period; ``form`` is the element that says which (D8, RD8, DT)."""
        span, fault, is_of_form = _dated(segment.get(element), segment.get(form) if form else "")
        if not is_of_form:
            self.note("date-format", segment, form)
        if fault:
            self.note(fault, segment, element)
            return None
        return span

    def npi(self, text: str, segment: Segment, element: int) -> str | None:
        """Take a text as a national provider identifier."""
        return self._of_shape(_NPI, text, segment, element, "npi-invalid")

    def tin(self, text: str, segment: Segment, element: int) -> str | None:
        """Take a text as a taxpayer identification number; dashes and blanks are dropped."""
        bare = text if text.isalnum() else re.sub(r"[\s-]", "", text)
        return self._of_shape(_TIN, bare, segment, element, "tin-invalid")

    def _of_shape(
        self, shape: re.Pattern[str], text: str, segment: Segment, element: int, fault: str
    ) -> str | None:
        if not text:
            return None
        if shape.fullmatch(text):
            return text
        self.note(fault, segment, element)
        return None


def is_number(text: str) -> bool:
    """Whether a text can be the number of something: with a letter or digit."""
    return bool(_ALPHANUMERIC.search(text))


def is_code(text: str) -> bool:
    """Whether a text can be kept as a code: not too long, with a letter or digit."""
    return len(text) <= CODE_CHARACTERS_MAX and (
        (text.isascii() and text.isalnum()) or bool(_ALPHANUMERIC.search(text))
    )


@lru_cache(_CACHED)
def as_number(text: str) -> str | None:
    """Write a number of X12 (which may begin or end with its point) as a decimal string."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None or not text.isascii() or not (found[1] or found[2]):
        return None
    whole, decimals = found[1].lstrip("0") or "0", found[2] or ""
    if len(decimals) > _DECIMALS_MAX:
        decimals = decimals.rstrip("0")
    if len(whole) > _WHOLE_DIGITS_MAX or len(decimals) > _DECIMALS_MAX:
        return None
    written = f"{whole}.{decimals}" if decimals else whole
    return written if Decimal(written) <= COUNTED_MAX else None


@lru_cache(_CACHED)
def _dated(text: str, form: str) -> tuple[Span | None, str, bool]:
    """Read a day or a period; give the rule that it breaks, and whether it is of its form."""
    if not text:
        return None, "element-missing", True
    span = as_span(text)
    if span is None:
        return None, "date-invalid", True
    is_of_form = not form or (form.upper() in _RANGES) == span.is_range
    return span, "period-reversed" if span.last < span.first else "", is_of_form


def as_span(text: str) -> Span | None:
    """Read a day (D8, D6, DT) or a period (RD8, RDT) by its shape; blanks within are dropped."""
    bare = re.sub(r"\s", "", text)
    if _ISO_DAY.fullmatch(bare):
        bare = bare.replace("-", "")
    days = _DAYS.fullmatch(bare)
    if days:
        first, last = as_day(days[1]), as_day(days[2])
        return Span(first, last, is_range=True) if first and last else None
    one = _DAY.fullmatch(bare)
    day = as_day(one[1] if one else _with_century(bare))
    return Span(day, day, is_range=False) if day else None


def _with_century(digits: str) -> str:
    """Write a day of six digits with its century; another text stays as it is."""
    if not _SHORT_DAY.fullmatch(digits):
        return digits
    return f"{'19' if int(digits[:2]) >= _CENTURY_PIVOT else '20'}{digits}"


def as_day(digits: str) -> str | None:
    """Read eight digits as a day of the calendar, as ISO day."""
    if not digits.isascii() or not digits.isdigit() or len(digits) != _DAY_DIGITS:
        return None
    try:
        day = date.fromisoformat(digits)
    except ValueError:
        return None
    return day.isoformat() if day.year >= _EARLIEST_YEAR else None


@lru_cache(_CACHED)
def as_moment(day: str, of_day: str) -> Moment | None:
    """Read a day and a time of day (HHMM, with seconds and hundredths); X12 has no time zone: UTC.

    A time that cannot be read, or is midnight, leaves the day alone.
    """
    iso = as_day(_with_century(re.sub(r"\s", "", day)))
    if iso is None:
        return None
    found = _TIME.match(of_day.strip()) if of_day.isascii() else None
    hour, minute, second = (int(found[part] or 0) for part in (1, 2, 3)) if found else (0, 0, 0)
    hundredths = int((found[4] or "0").ljust(2, "0")) if found else 0
    passed = time(hour, minute, second, hundredths * 10_000, tzinfo=UTC)
    at = datetime.combine(date.fromisoformat(iso), passed)
    if found is None or not (hour or minute or second or hundredths):
        return Moment(at, DAY)
    return Moment(at, INSTANT if found[4] else SECOND if found[3] else MINUTE)


@lru_cache(_CACHED)
def made_of(*written: tuple[str, str]) -> tuple[datetime | None, datetime | None]:
    """When a message was made, and the time by which it is ordered, of each day and time it names.

    The first is the one that counts, the others make it exact; None without any.
    """
    told = [as_moment(*each) for each in written]
    made = finest(told)
    return made.at if made else None, in_order(told)
