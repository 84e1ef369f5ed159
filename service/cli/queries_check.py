"""Checks the files of a folder of queries, all of them, without an engine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.application.template_tests import Fixture, read_fixture, run_tests
from service.querying.problem import Problem, TemplatesRefused
from service.rules.book import RuleBook
from service.rules.files import load_references, load_templates, read_tables, read_text
from service.settings import Settings


@dataclass(slots=True)
class Report:
    """What a check found, and what it looked at."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    """The file of each template."""

    def note(self, text: str) -> None:
        """Say what was done, or left out."""
        self.notes.append(text)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"problems": [each.as_dict() for each in self.problems], "notes": self.notes}


async def check_files(settings: Settings) -> tuple[Report, RuleBook | None]:
    """Check references, templates and tables, then the templates' tests; the rules if all load."""
    report, folder = Report(), settings.queries_dir
    if not any(folder.glob("*.yaml")):
        message = "there is no template in this folder"
        report.problems.append(Problem(code="T002", path="", file=str(folder), message=message))
    try:
        references, event_codes, problems = load_references(folder)
    except TemplatesRefused as refused:
        report.problems += refused.problems
        return report, None
    report.problems += problems
    library = load_templates(folder, references)
    report.problems += library.problems
    report.files = {name: node.file for name, node in library.resolved.items()}
    try:
        tables = read_tables(folder, references, frozenset(library.resolved))
    except TemplatesRefused as refused:
        report.problems += refused.problems
        return report, None
    report.note(
        f"files: {len(library.resolved)} templates, {len(references.groups)} reference tables,"
        " 2 decision tables"
    )
    if report.problems:
        return report, None
    rules = RuleBook(
        plans=library.plans, tables=tables, references=references, event_codes=event_codes
    )
    count, red = await run_tests(rules, library.resolved, read_fixtures(folder))
    report.problems += red
    report.note(f"template tests: {count}, red: {len(red)}")
    return report, rules


def read_fixtures(queries: Path) -> dict[str, Fixture | Problem]:
    """Read the fixtures of a folder of queries, by their name."""
    return {
        path.stem: read_fixture(read_text(path), f"fixtures/{path.name}")
        for path in sorted((queries / "fixtures").glob("*.yaml"))
    }
