"""Makes a book of rules of its texts: references first, then templates, then decision tables.

The texts are named as the files of a folder are: ``dental.yaml``, ``reference/units.yaml``,
``tables/requested-auth-type.json``, ``fixtures/two-visits.yaml``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from service.domain.accounting_policy import AccountingPolicy, UnitTable
from service.domain.alert import AlertTable
from service.domain.claim_numbers import NumberTable
from service.domain.counters import CounterTable
from service.domain.event import EventCodes
from service.domain.gates import BandTable, GateTable
from service.domain.manual_entry import ManualEntryPolicy
from service.domain.number_forms import NumberForms
from service.domain.reference import AttachedFields, GroupTable, References
from service.domain.specialised import SpecialisedTable
from service.domain.worklist_table import WorklistTable
from service.querying.library import Library, load_library
from service.querying.problem import Problem, TemplatesRefused
from service.querying.source import TEXT_CHARACTERS_MAX, problem_at, read_source
from service.requirement.faults import TableRefused
from service.requirement.tables import RequirementTables, load_tables
from service.rules.book import RuleBook
from service.rules.rule_set import RuleSet
from service.settings import Settings

_FILES = ("*.yaml", "reference/*.yaml", "tables/*.json", "fixtures/*.yaml")

CHARACTERS_MAX = 2 * 1024 * 1024
FILES_MAX = 500
"""What a set may come to in all: a worker parses it beside its claims."""

_LONGER = f"longer than {TEXT_CHARACTERS_MAX} characters"

_KEPT = 256

REFERENCE_TABLES_NEEDED = ("procedure-groups", "specialty-parents", "informational-modifiers")
"""Without these, a decision table or a comparison would quietly find nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a set of texts gives, as far as it can be read, and all that is wrong with it."""

    name: str
    references: References
    library: Library
    tables: RequirementTables | None
    event_codes: EventCodes | None
    problems: tuple[Problem, ...]

    @property
    def book(self) -> RuleBook:
        """The book of rules; raises TemplatesRefused where anything is wrong with a text."""
        if self.problems or self.tables is None or self.event_codes is None:
            raise TemplatesRefused(self.problems)
        return RuleBook(
            name=self.name,
            plans=self.library.plans,
            tables=self.tables,
            references=self.references,
            event_codes=self.event_codes,
        )


def load_rules(settings: Settings) -> RuleBook:
    """Load the rules of the settings; raises TemplatesRefused with all that is wrong with them."""
    return load_texts(read_folder(settings.queries_dir)).book


def read_folder(queries: Path) -> dict[str, str]:
    """Read the files of a folder of rules; raises TemplatesRefused for one that is not UTF-8."""
    texts = {}
    for path in rule_files(queries):
        name = path.relative_to(queries).as_posix()
        try:
            texts[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            problem = Problem(code="T001", path="", message="not UTF-8 text", file=name)
            raise TemplatesRefused((problem,)) from error
    return texts


def rule_files(queries: Path) -> list[Path]:
    """The files of a folder that are rules."""
    return [path for pattern in _FILES for path in sorted(queries.glob(pattern))]


def book_of(rules: RuleSet) -> RuleBook:
    """The book that a set makes; raises TemplatesRefused with all that is wrong with it."""
    return replace(load_texts(rules.texts).book, name=rules.name)


def load_texts(texts: Mapping[str, str]) -> Loaded:
    """Load every text of a set, and find all that is wrong with them."""
    name = RuleSet(texts).name
    if too_large := _too_large(texts):
        return Loaded(
            name=name,
            references=References(),
            library=Library({}, {}, ()),
            tables=None,
            event_codes=None,
            problems=too_large,
        )
    references, event_codes, problems = _references(dict(_under("reference", ".yaml", texts)))
    templates = {name: text for name, text in texts.items() if "/" not in name}
    library = load_library(templates, references)
    problems += library.problems
    try:
        decisions = dict(_under("tables", ".json", texts))
        tables = load_tables(decisions, references, frozenset(library.resolved))
    except TableRefused as refused:
        tables = None
        file = f"tables/{refused.table}.json"
        problems += [
            Problem(
                code="T014",
                path=each.path,
                file=file,
                message=each.message,
                hint=each.hint or None,
            )
            for each in refused.problems
        ]
    return Loaded(
        name=name,
        references=references,
        library=library,
        tables=tables,
        event_codes=event_codes,
        problems=tuple(problems),
    )


def _too_large(texts: Mapping[str, str]) -> tuple[Problem, ...]:
    """Find what is larger than a set may be, before anything of it is parsed."""
    total = sum(map(len, texts.values()))
    if len(texts) > FILES_MAX or total > CHARACTERS_MAX:
        told = f"at most {FILES_MAX} files with {CHARACTERS_MAX} characters in all"
        return (Problem(code="T001", path="", message=f"the set is too large: {told}"),)
    return tuple(
        Problem(code="T001", path="", file=name, message=_LONGER)
        for name, text in texts.items()
        if len(text) > TEXT_CHARACTERS_MAX
    )


def fixtures_of(texts: Mapping[str, str]) -> dict[str, str]:
    """The fixtures of the templates' tests, by their names."""
    return dict(_under("fixtures", ".yaml", texts))


def _under(folder: str, ending: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        if name.startswith(f"{folder}/") and name.endswith(ending):
            yield name.removeprefix(f"{folder}/").removesuffix(ending), text


_KINDS: Mapping[str, tuple[str, type[BaseModel]]] = {
    "attached-fields": ("attached", AttachedFields),
    "specialised": ("specialised", SpecialisedTable),
    "unit-conversions": ("units", UnitTable),
    "accounting-policy": ("accounting", AccountingPolicy),
    "counters": ("counters", CounterTable),
    "event-codes": ("events", EventCodes),
    "number-forms": ("numbers", NumberForms),
    "gates": ("gates", GateTable),
    "bands": ("bands", BandTable),
    "worklist": ("worklist", WorklistTable),
    "claim-numbers": ("claim_numbers", NumberTable),
    "alerts": ("alerts", AlertTable),
    "manual-entry": ("manual_entry", ManualEntryPolicy),
}
"""Of each kind of reference file, of which there is one: what it is called, and what it holds."""


def _references(
    texts: Mapping[str, str],
) -> tuple[References, EventCodes | None, list[Problem]]:
    """Load reference tables and event codes; a file that is wrong is a problem, not a gap."""
    groups: dict[str, GroupTable] = {}
    single: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, text in texts.items():
        source = read_source(text, f"reference/{name}.yaml")
        if isinstance(source, Problem):
            problems.append(replace(source, code="T014"))
            continue
        try:
            kind, model = _modelled(text, source.file)
            if isinstance(model, GroupTable):
                groups[name] = model
            elif model is not None:
                single[_KINDS[kind][0]] = model
            else:
                problems.append(_refused(name, f"a reference file of kind {kind} is not known"))
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(map(str, first["loc"]))
            problems.append(_refused(name, f"{where}: {first['msg']}".removeprefix(": "), text))
    problems += [
        _refused(name, "this reference table is needed")
        for name in REFERENCE_TABLES_NEEDED
        if name not in groups
    ]
    informational = groups.get("informational-modifiers")
    plain = informational.groups.values() if informational else ()
    events: EventCodes | None = single.pop("events", None)
    references = References(
        groups=groups,
        informational_modifiers=frozenset(code for group in plain for code in group.members),
        **single,
    )
    if events is None:
        problems.append(_refused("event-codes", "it is needed"))
    else:
        problems += _disagreements(references, events, texts)
    return references, events, problems


@lru_cache(maxsize=_KEPT)
def _modelled(text: str, file: str) -> tuple[str, BaseModel | None]:
    """A reference file as its model, with its kind; nothing of a kind that is not known.

    Sets of rules that have the same file share it.
    """
    source = read_source(text, file)
    content: Any = {} if isinstance(source, Problem) else source.plain()
    kind = str(content.get("kind"))
    if kind == "groups":
        return kind, GroupTable.model_validate(content)
    known = _KINDS.get(kind)
    return kind, None if known is None else known[1].model_validate(content)


def _disagreements(
    references: References, events: EventCodes, texts: Mapping[str, str]
) -> Iterator[Problem]:
    """Find what one reference table says of another, or of itself, that is not so."""
    found = {
        "specialised": references.specialised.faults(events.events, references.groups),
        "unit-conversions": references.units.faults(references.groups),
        "accounting": references.accounting.faults(references.groups, references.units),
        "counters": references.counters.faults(references.groups),
        "worklist": references.worklist.faults(),
    }
    return (
        _refused(name, fault, texts.get(name, ""))
        for name, faults in found.items()
        for fault in faults
    )


def _refused(name: str, message: str, text: str = "") -> Problem:
    """A problem of a reference file; one that begins with its path has its line in the text."""
    file = f"reference/{name}.yaml"
    source = read_source(text, file)
    if isinstance(source, Problem):
        return Problem(code="T014", path="", message=message, file=file)
    steps = message.partition(": ")[0].split("/")
    path = source.known(tuple(int(step) if step.isdecimal() else step for step in steps))
    return problem_at(source, "T014", path, message)
