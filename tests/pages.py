"""What the pages show: their fences and calls, and whether a shortened answer is true."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
ADDRESS = "http://127.0.0.1:8080"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"\n##+ ")
_AS_TABLE = ["|", "python3", "-m", "json.tool"]


@dataclass
class Call:
    """One `curl` of a page."""

    method: str = "GET"
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


def name_of(path: Path) -> str:
    """The path as a person would write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(page: str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def section_of(page: str, heading: str) -> str:
    """The text under a heading, up to the next one of any level but the first."""
    return _HEADING.split(f"\n{text_of(page)}".split(f"\n{heading}\n", 1)[1], maxsplit=1)[0]


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The rows of the table under a heading, as cells."""
    lines = [line for line in section_of(page, heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def fences_of(page: str, heading: str) -> list[tuple[str, str]]:
    """Language and text of the fences under a heading."""
    return FENCE.findall(section_of(page, heading))


def fences_in(page: str) -> list[tuple[str, str]]:
    """Language and text of all fences of a page."""
    return FENCE.findall(text_of(page))


def snippets(language: str) -> Iterator[tuple[str, str]]:
    """All fenced texts of a language, with their pages."""
    for page in map(name_of, PAGES):
        yield from ((page, text) for found, text in fences_in(page) if found == language)


def calls_in(text: str) -> list[Call]:
    """The calls of a fence, in their order; raises ValueError for a command that is no `curl`."""
    return [_call(shlex.split(line)) for line in re.split(r"\n(?=\w)", text.replace("\\\n", ""))]


def _call(words: list[str]) -> Call:
    if words[-4:] == _AS_TABLE:
        words = words[:-4]
    if words[:2] != ["curl", "-s"]:
        raise ValueError(f"no call: {words}")
    call, rest = Call(), iter(words[2:])
    method = ""
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            if value != "$KEY":  # who calls is known already
                call.headers[name] = value
        elif word in ("-d", "--data-binary"):
            given = next(rest)
            file = given.removeprefix("@")
            call.content = given.encode() if file == given else (ROOT / file).read_bytes()
            call.method = "POST"
        elif word.startswith(ADDRESS):
            call.path = word.removeprefix(ADDRESS)
        else:
            raise ValueError(f"{word} is not known of a call")
    call.method = method or call.method
    return call


def shown_in(page: str) -> list[Any]:
    """All JSON of a page."""
    return [json.loads(text) for language, text in fences_in(page) if language == "json"]


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
