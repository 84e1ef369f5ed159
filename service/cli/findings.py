"""What the doctor finds: green, yellow or red, what it looked at, and what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["green", "yellow", "red"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at; ``is_engine`` when an engine is what failed."""

    level: Level
    what: str
    found: str
    advice: str = ""
    is_engine: bool = False


def green(what: str, found: str) -> Finding:
    """As it should be."""
    return Finding(level="green", what=what, found=found)


def yellow(what: str, found: str, advice: str) -> Finding:
    """It works, but not as in production."""
    return Finding(level="yellow", what=what, found=found, advice=advice)


def red(what: str, found: str, advice: str, *, is_engine: bool = False) -> Finding:
    """It must be put right."""
    return Finding(level="red", what=what, found=found, advice=advice, is_engine=is_engine)
