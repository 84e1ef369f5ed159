"""Checks a set of rules as texts: all that loading finds, and the templates' own tests.

`checked_apart` does so in a process of its own, so that a set which takes too long, or for ever, is
stopped, and holds up no claim meanwhile.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from service.application._template_tests import read_fixture, run_tests
from service.querying.problem import Problem
from service.rules.book import RuleBook
from service.rules.texts import fixtures_of, load_texts

BUDGET_S = 30.0
"""So long a check may take, on a machine that is busy with claims."""
LOADING_S_MAX = 5.0
"""So much time of a processor loading may take: every worker does it beside its claims."""

_NICENESS = 5
_TOO_SLOW = "T001"


@dataclass(slots=True)
class Report:
    """What a check found, and what it looked at; ``files`` names the file of each template."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, message: str, file: str, path: str = "", hint: str = "") -> None:
        """Add a problem of a file."""
        found = Problem(code=code, path=path, message=message, file=file, hint=hint or None)
        self.problems.append(found)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"problems": [each.as_dict() for each in self.problems], "notes": self.notes}


async def check_texts(texts: Mapping[str, str]) -> tuple[Report, RuleBook | None]:
    """Check a set of rules, then the templates' tests; gives the book if all can be loaded."""
    began = time.process_time()
    loaded, report = load_texts(texts), Report()
    loading_s = time.process_time() - began
    report.problems += loaded.problems
    if loading_s > LOADING_S_MAX:
        told = f"loading the set takes {loading_s:.1f} s, {LOADING_S_MAX:g} s at most"
        report.problems.append(Problem(code=_TOO_SLOW, path="", message=told))
    resolved = loaded.library.resolved
    report.files = {name: node.file for name, node in resolved.items()}
    if loaded.tables is not None:
        report.notes.append(
            f"files: {len(resolved)} templates, {len(loaded.references.groups)} reference tables,"
            " 2 decision tables"
        )
    if report.problems:
        return report, None
    fixtures = {
        name: read_fixture(text, f"fixtures/{name}.yaml")
        for name, text in fixtures_of(texts).items()
    }
    count, red = await run_tests(loaded.book, resolved, fixtures)
    report.problems += red
    report.notes.append(f"template tests: {count}, red: {len(red)}")
    return report, loaded.book


async def checked_apart(texts: Mapping[str, str], *, budget_s: float = BUDGET_S) -> Report:
    """Check a set in a process of its own; one that takes too long is stopped, and refused."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service.application._rule_check",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(budget_s):
            written, _ = await child.communicate(orjson.dumps(dict(texts)))
    except TimeoutError:
        written = b""
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    if not written:
        told = f"the check did not end within {budget_s:g} s: tests, tables or expressions run away"
        return Report(problems=[Problem(code=_TOO_SLOW, path="", message=told)])
    found = orjson.loads(written)
    return Report(
        problems=[Problem(**each) for each in found["problems"]],
        notes=found["notes"],
        files=found["files"],
    )


def main() -> None:
    """Check the texts of standard input, and write the report."""
    os.nice(_NICENESS)
    report, _ = asyncio.run(check_texts(orjson.loads(sys.stdin.buffer.read())))
    sys.stdout.buffer.write(orjson.dumps(asdict(report)))


if __name__ == "__main__":
    main()
