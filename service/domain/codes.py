"""One written form for every code and number, so that both faces of a comparison see one string."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from hashlib import sha256
from unicodedata import normalize

from service.domain.values import WEEKDAYS, Weekday

CODES_KEPT = 16_384
"""So many codes are kept as they were written last: a feed names few of them again and again."""

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")
_SYSTEMS = {
    "CPT": "HCPCS",
    "HCPCS": "HCPCS",
    "HC": "HCPCS",
    "HCPC": "HCPCS",
    "CDT": "CDT",
    "AD": "CDT",
    "ICD-10-PCS": "ICD10PCS",
    "ICD10PCS": "ICD10PCS",
    "NDC": "NDC",
    "N4": "NDC",
}
_DENTAL = re.compile(r"D\d{4}")
_PCS_CHARACTERS = 7
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


STAY_PLACES = frozenset({"21", "31", "51", "61"})
"""Places of service of a stay: hospital, nursing facility, psychiatric, rehabilitation (CMS)."""

_DAY_LETTERS = dict(zip("mtwrfsu", WEEKDAYS, strict=True))
_PATTERNS = {
    **{"A": "mtwrf", "B": "mtwrfs", "C": "", "D": "m", "E": "t", "F": "w", "G": "r", "H": "f"},
    **{"J": "s", "K": "u", "L": "mtwr", "M": "", "N": "", "O": "mtwrf", "P": "mr", "Q": "tr"},
    **{"R": "wf", "S": "mtwrf", "T": "tf", "U": "mw", "V": "mwf", "W": "", "X": "mtwrf", "Y": ""},
    **{"SA": "mrfsu", "SB": "twrfs", "SC": "wrfsu", "SD": "mwrfs", "SG": "twrf", "SL": "mtr"},
    **{"SP": "mtf", "SX": "wr", "SY": "mwr", "SZ": "trf", "WE": "su"},
}
"""The calendar patterns of X12 element 678; none of the days is no restriction."""


def as_text(value: object) -> str:
    """A value as keywords are written: truth in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def day(value: date | None) -> str | None:
    """A day in ISO 8601; None where there is none."""
    return value.isoformat() if value else None


def written(write: Callable[[str], str], text: str | None) -> str | None:
    """A code in one of the forms of this module; None where there is none."""
    return write(text) if text else None


def bare(text: str) -> str:
    """Letters in upper case and digits, nothing else."""
    upper = text.upper()
    if upper.isalnum() and upper.isascii():
        return upper
    if not upper.isascii():
        upper = normalize("NFKD", upper)  # a letter with an accent is that letter, however written
    return _NOT_ALPHANUMERIC.sub("", upper)


def authorization_number(text: str) -> str:
    """Normalise a number as people type it: no case, punctuation, spaces or leading zeros."""
    kept = bare(text)
    return kept.lstrip("0") or kept[:1]


def days_of_pattern(pattern: str) -> tuple[Weekday, ...] | None:
    """The days of the week of a calendar pattern (X12 element 678): () any, None not of days."""
    letters = _PATTERNS.get(pattern)
    return None if letters is None else tuple(_DAY_LETTERS[each] for each in letters)


def pattern_of_days(days: Iterable[str]) -> str | None:
    """The calendar pattern (X12 element 678) of days of the week; None where no code is of them."""
    given = set(days)
    return next(
        (each for each in _PATTERNS if given and set(days_of_pattern(each) or ()) == given), None
    )


def fhir_id(text: str) -> str:
    """The id of a resource of FHIR: the text itself where FHIR allows it, else its hash."""
    return text if _FHIR_ID.fullmatch(text) else sha256(text.encode()).hexdigest()


@lru_cache(CODES_KEPT)
def diagnosis(text: str) -> str:
    """An ICD-10-CM code with its dot, however it was sent (X12 HI omits it)."""
    kept = bare(text)
    return f"{kept[:3]}.{kept[3:]}" if len(kept) > 3 else kept


def revenue_code(text: str) -> str:
    """Pad a revenue code to its four digits (SV201)."""
    return bare(text).zfill(4)


def place_of_service(text: str) -> str:
    """Pad a place-of-service code to its two digits (SV105)."""
    return bare(text).zfill(2)


def bill_type_class(text: str) -> str:
    """Facility and class, the first two digits of a bill type, without its leading zero."""
    return bare(text).lstrip("0")[:2]


def drg(text: str) -> str:
    """Pad a diagnosis-related group to its three digits (HI*DR)."""
    return bare(text).zfill(3)


def tooth(text: str) -> str:
    """A tooth without leading zeros (Universal numbering, TOO02)."""
    kept = bare(text)
    return kept.lstrip("0") or kept


def oral_cavity(text: str) -> str:
    """Pad an area of the oral cavity to two digits (SV304); L and R stay."""
    kept = bare(text)
    return kept.zfill(2) if kept.isdigit() else kept


def code_system(code: str, declared: str | None) -> str:
    """The code system of a procedure code.

    CPT and HCPCS level II travel under one qualifier (HC) and are one system here; a D code is CDT
    under either name.
    """
    if _DENTAL.fullmatch(code):
        return "CDT"
    if declared:
        name = declared.strip().upper()
        return _SYSTEMS.get(name, bare(name))
    return "ICD10PCS" if len(code) == _PCS_CHARACTERS else "HCPCS"


@lru_cache(CODES_KEPT)
def procedure_shape(code: str, declared: str | None = None) -> str:
    """Code system and shape, such as ``HCPCS:A9999``: ranges compare within one shape only.

    Keyword ranges compare letter by letter, so 97110..97140 must never admit a code of another
    system or length.
    """
    letters = "".join("9" if character.isdigit() else "A" for character in code)
    return f"{code_system(code, declared)}:{letters}"
