"""What README shows: the fences of a section, and whether a shortened answer is true."""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def fences_of(heading: str, page: str = "README.md") -> list[tuple[str, str]]:
    """Language and text of the fences of a section."""
    section = (ROOT / page).read_text(encoding="utf-8").split(f"\n{heading}\n")[1]
    return _FENCE.findall(section.split("\n## ", 1)[0])


def fences_in(page: str) -> list[tuple[str, str]]:
    """Language and text of all fences of a page."""
    return _FENCE.findall((ROOT / page).read_text(encoding="utf-8"))


def has(whole: Any, part: Any) -> bool:
    """Whether a shortened answer is true: what it shows is there, in that order."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and has(whole[name], each) for name, each in part.items()
        )
    if isinstance(part, list):
        rest = iter(whole)
        return bool(part or not whole) and all(any(has(one, each) for one in rest) for each in part)
    return bool(whole == part)
