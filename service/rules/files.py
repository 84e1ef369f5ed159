"""Reads the rule files: templates, decision tables, reference tables, event codes.

A folder with anything wrong in it is refused whole, with all that is wrong.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from service.domain.accounting_policy import AccountingPolicy, UnitTable
from service.domain.event import EventCodes
from service.domain.reference import AttachedFields, GroupTable, References
from service.domain.specialised import SpecialisedTable
from service.querying.library import Library, load_library
from service.querying.problem import Problem, TemplatesRefused
from service.requirement.faults import TableRefused
from service.requirement.tables import TABLE_NAMES, RequirementTables, load_tables
from service.rules.book import RuleBook
from service.settings import Settings

REFERENCE_TABLES_NEEDED = ("procedure-groups", "specialty-parents", "informational-modifiers")
"""Without these, a decision table or a comparison would quietly find nothing."""


def load_rules(settings: Settings) -> RuleBook:
    """Load every rule file; raises TemplatesRefused with all that is wrong with them."""
    references, event_codes, problems = load_references(settings.queries_dir)
    library = load_templates(settings.queries_dir, references)
    problems += library.problems
    if problems:
        raise TemplatesRefused(tuple(problems))
    return RuleBook(
        plans=library.plans,
        tables=read_tables(settings.queries_dir, references, frozenset(library.plans)),
        references=references,
        event_codes=event_codes,
    )


def load_templates(queries: Path, references: References) -> Library:
    """Load the query templates of a folder."""
    files = {path.name: read_text(path) for path in sorted(queries.glob("*.yaml"))}
    return load_library(files, references)


def read_tables(
    queries: Path, references: References, templates: frozenset[str]
) -> RequirementTables:
    """Load the decision tables of a folder, which may name these templates.

    Raises TemplatesRefused.
    """
    texts = []
    for name in TABLE_NAMES:
        path = queries / "tables" / f"{name}.json"
        if not path.is_file():
            problem = Problem(code="T014", path="", file=str(path), message="no such table")
            raise TemplatesRefused((problem,))
        texts.append(path.read_bytes())
    try:
        return load_tables(texts[0], texts[1], references, templates)
    except TableRefused as refused:
        raise TemplatesRefused(
            tuple(
                Problem(
                    code="T014",
                    path=each.path,
                    file="tables",
                    message=each.message,
                    hint=each.hint,
                )
                for each in refused.problems
            )
        ) from refused


@dataclass(slots=True)
class _Read:
    """What the reference files of a folder hold."""

    groups: dict[str, GroupTable] = field(default_factory=dict)
    attached: AttachedFields = field(default_factory=lambda: References().attached)
    specialised: SpecialisedTable = field(default_factory=lambda: References().specialised)
    units: UnitTable = field(default_factory=UnitTable)
    accounting: AccountingPolicy = field(default_factory=AccountingPolicy)
    events: EventCodes | None = None

    def take(self, name: str, content: Any) -> None:
        """Take the content of a file; raises ValueError where it is not a known one."""
        match content.get("kind") if isinstance(content, dict) else None:
            case "groups":
                self.groups[name] = GroupTable.model_validate(content)
            case "attached-fields":
                self.attached = AttachedFields.model_validate(content)
            case "specialised":
                self.specialised = SpecialisedTable.model_validate(content)
            case "unit-conversions":
                self.units = UnitTable.model_validate(content)
            case "accounting-policy":
                self.accounting = AccountingPolicy.model_validate(content)
            case "event-codes":
                self.events = EventCodes.model_validate(content)
            case kind:
                raise ValueError(f"a reference file of kind {kind} is not known")


def load_references(queries: Path) -> tuple[References, EventCodes, list[Problem]]:
    """Load reference tables and event codes; a file that is wrong is a problem, not a gap."""
    folder, read = queries / "reference", _Read()
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            read.take(path.stem, YAML(typ="safe").load(read_text(path)))
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(map(str, first["loc"]))
            problems.append(_refused(path, f"{where}: {first['msg']}".removeprefix(": ")))
        except (YAMLError, ValueError) as error:
            problems.append(_refused(path, " ".join(str(error).split())[:300]))
    problems += [
        _refused(folder / f"{name}.yaml", "this reference table is needed")
        for name in REFERENCE_TABLES_NEEDED
        if name not in read.groups
    ]
    if read.events is None:
        problems.append(_refused(folder / "event-codes.yaml", "it is needed"))
        raise TemplatesRefused(tuple(problems))
    faults = read.specialised.faults(read.events.events, read.groups)
    problems += [_refused(folder / "specialised.yaml", each) for each in faults]
    faults = read.units.faults(read.groups)
    problems += [_refused(folder / "unit-conversions.yaml", each) for each in faults]
    faults = read.accounting.faults(read.groups, read.units)
    problems += [_refused(folder / "accounting.yaml", each) for each in faults]
    informational = read.groups.get("informational-modifiers")
    members = informational.groups.values() if informational else ()
    references = References(
        groups=read.groups,
        attached=read.attached,
        informational_modifiers=frozenset(code for each in members for code in each.members),
        specialised=read.specialised,
        units=read.units,
        accounting=read.accounting,
    )
    return references, read.events, problems


def _refused(path: Path, message: str) -> Problem:
    return Problem(code="T014", path="", file=f"reference/{path.name}", message=message)


def read_text(path: Path) -> str:
    """Read a rule file; one that is not UTF-8 is refused like any other fault in it."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        problem = Problem(code="T001", path="", file=path.name, message="not UTF-8 text")
        raise TemplatesRefused((problem,)) from error
