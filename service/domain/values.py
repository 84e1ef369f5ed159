"""The base of every model, and the plain values they are made of."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from service.domain.misfits import refuse

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
"""A day of the week."""

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""The days of the week, as ``date.weekday`` numbers them."""

_NUMBER = re.compile(r"-?(?P<whole>[0-9]+)(?:\.(?P<decimals>[0-9]+))?")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EARLIEST_DAY = date(1900, 1, 1)
_DIGITS_MAX = 15
_DECIMALS_MAX = 6
_KEPT = 16_384
_KEPT_CHARACTERS_MAX = 32
"""Days and quantities that were read are kept, a feed has the same ones again; no long text is."""


class Frozen(BaseModel):
    """A value: cannot change once made, and refuses a key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _day(value: Any) -> date:
    """Read an ISO day ourselves: Elasticsearch would take 2026-02-30 for the second of March."""
    if isinstance(value, str):
        return _day_of(value)
    if type(value) is not date:
        raise ValueError("a day is written YYYY-MM-DD")
    return _not_too_early(value)


@lru_cache(_KEPT)
def _day_of(text: str) -> date:
    if not _ISO_DAY.fullmatch(text):
        raise ValueError("a day is written YYYY-MM-DD")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("not a day of the calendar") from error
    return _not_too_early(day)


def _not_too_early(day: date) -> date:
    if day < _EARLIEST_DAY:
        raise ValueError("a day before 1900-01-01 is not accepted")
    return day


def read_decimal(value: Any) -> Decimal:
    """Read a decimal from text: a float has already lost what was written."""
    text = format(value, "f") if isinstance(value, Decimal) else value
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if isinstance(text, str) and len(text) <= _KEPT_CHARACTERS_MAX:
        return _decimal_of(text)
    return _read_decimal(text)


def _read_decimal(text: object) -> Decimal:
    written = _NUMBER.fullmatch(text.strip()) if isinstance(text, str) else None
    if written is None:
        raise ValueError('a quantity is a decimal string, such as "4" or "240.00"')
    whole, decimals = written["whole"].lstrip("0"), written["decimals"] or ""
    if len(whole) > _DIGITS_MAX or len(decimals) > _DECIMALS_MAX:
        raise ValueError(f"at most {_DIGITS_MAX} digits and {_DECIMALS_MAX} decimals")
    return Decimal(written[0])


_decimal_of = lru_cache(_KEPT)(_read_decimal)


def _quantity(value: Any) -> Decimal:
    if isinstance(value, str) and len(value) <= _KEPT_CHARACTERS_MAX:
        return _quantity_of(value)
    return _not_negative(read_decimal(value))


@lru_cache(_KEPT)
def _quantity_of(text: str) -> Decimal:
    return _not_negative(_read_decimal(text))


def _not_negative(number: Decimal) -> Decimal:
    if number < 0:
        raise ValueError("a quantity is not negative")
    return number


def _plain(number: Decimal) -> str:
    return format(number, "f")


Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=str)]
"""A calendar day, ISO 8601."""

Quantity = Annotated[
    Decimal,
    BeforeValidator(_quantity, json_schema_input_type=str),
    PlainSerializer(_plain, return_type=str),
]
"""A decimal of at least zero, written as a string; its unit of measure stands beside it."""

COUNTED_MAX = Decimal(3_000_000_000)
"""Units, days and money are counted exactly up to here (see service/accounting/books/scale.py)."""

Counted = Annotated[
    Decimal,
    Field(le=COUNTED_MAX),
    BeforeValidator(_quantity, json_schema_input_type=str),
    PlainSerializer(_plain, return_type=str),
]
"""A quantity that is added up: units, service days, an amount of money."""

VERSION_MAX = 2**53 - 1
"""Versions are counted exactly up to here, in Redis, too."""

Version = Annotated[int, Field(strict=True, ge=1, le=VERSION_MAX)]
"""The sender's number of a version: a higher one takes the place of a lower one."""

_NUMBER_MAX = 2**63


def _within_64_bits(value: JsonValue) -> JsonValue:
    """See to it that all numbers can be kept as they are, however deep they stand."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, int | float) and not -_NUMBER_MAX <= each < _NUMBER_MAX:
            raise ValueError("a number that does not fit into 64 bits")
    return value


JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_within_64_bits)]
"""What others attach, as it is; its numbers fit into 64 bits."""


def _visible(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it has characters that cannot be seen")
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""A short text: a name, a code, a reference."""

Number = Annotated[Text, Field(pattern=r"[0-9A-Za-z]"), AfterValidator(_visible)]
"""The number of an authorization, with at least one letter or digit, and all of it to be seen."""

LongText = Annotated[str, StringConstraints(max_length=20_000)]
"""A note or message."""

_IDENTIFIER_MAX = 100
_IDENTIFIER = r"^(?:\.{3,}|\.*[!-\-0-{}~][!-.0-{}~]*)$"

Identifier = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=_IDENTIFIER_MAX, pattern=_IDENTIFIER
    ),
]
"""An id that travels in addresses and document ids: printable ASCII, no space, slash or bar.

Nor a dot or two alone, which an address leaves out (RFC 3986, 5.2.4)."""


def is_identifier(text: str) -> bool:
    """Whether a text is such an id.

    >>> [is_identifier(each) for each in ("A-1", "..", "a/b", "")]
    [True, False, False, False]
    """
    return len(text) <= _IDENTIFIER_MAX and re.fullmatch(_IDENTIFIER, text) is not None


Code = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_upper=True, min_length=1, max_length=30, pattern=r"[0-9A-Za-z]"
    ),
]
"""A code of some code set, in upper case, with at least one letter or digit."""

Npi = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{10}$")]
"""A national provider identifier: ten digits."""

Tin = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{9}$"),
    BeforeValidator(
        lambda value: value.replace("-", "") if isinstance(value, str) else value,
        json_schema_input_type=str,
    ),
]
"""A taxpayer identification number: nine digits, dashes are dropped."""

LineNumber = Annotated[int, Field(strict=True, ge=1, le=999_999)]
"""The number of a line, from 1."""


class DateSpan(Frozen):
    """Days from a first to a last one, both included; no last day is an open end."""

    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "DateSpan":
        if self.from_ and self.to and self.to < self.from_:
            refuse("DateSpan", [(("to",), "it ends before it starts")])
        return self
