"""The documentation names all that there is."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Any, get_args

import typer
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from typer.core import TyperGroup

from service.api.app import create_app
from service.application.claims import BenefitLimits
from service.cli import app
from service.comparison.registry import BUILT_IN
from service.domain import template as nouns
from service.domain.adjudication import Adjudication, ClaimChange
from service.domain.authorization import Authorization
from service.domain.claim import Benefit, Claim
from service.domain.event import DenyWith, EventCodes, EventText
from service.domain.fields import AUTHORIZATION_FIELDS, CLAIM_FIELDS
from service.domain.specialised import AlternateRow, CompanionRow, SpecialisedTable
from service.querying._inheritance import OWN_KEYS
from service.requirement._cells import FUNCTIONS
from service.requirement._inputs import columns
from service.requirement.tables import TABLE_NAMES, contract
from service.rules.texts import load_rules
from service.settings import Settings
from tests.builders import TEMPLATES
from tests.pages import FENCE, ROOT, rows_of, text_of

QUERIES = ROOT / "queries"
TEMPLATE_MODELS = (
    nouns.Template,
    nouns.TemplateSettings,
    nouns.MatchDays,
    nouns.Requirement,
    nouns.Level,
    nouns.Criterion,
    nouns.AppliesWhen,
    nouns.Relax,
    nouns.NonExact,
    nouns.AutoResolve,
    nouns.ChangelogEntry,
    nouns.Expectation,
    nouns.TemplateTest,
)

_CODE = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[\w.\-<>${}/]+")


@cache
def named_in(page: str) -> frozenset[str]:
    """All words that a page writes as code outside its fences."""
    text = FENCE.sub("", text_of(page))
    return frozenset(word for code in _CODE.findall(text) for word in _WORD.findall(code))


def fields_of(model: type[BaseModel]) -> set[str]:
    """The names of a model's fields as they are written."""
    return {field.alias or name for name, field in model.model_fields.items()}


def models_in(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """A model and all that its fields hold."""
    if model not in seen:
        seen.add(model)
        for field in model.model_fields.values():
            for inner in _types_in(field.annotation):
                models_in(inner, seen)
    return seen


def _types_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if (
        isinstance(annotation, type)
        and not isinstance(annotation, GenericAlias)
        and issubclass(annotation, BaseModel)
    ):
        yield annotation
    for argument in get_args(annotation):
        yield from _types_in(argument)


def commands(group: TyperGroup, before: str) -> Iterator[str]:
    """All commands of the command line, with the words before them."""
    return (words for words, _ in commands_of(group, before))


def commands_of(group: TyperGroup, before: str) -> Iterator[tuple[str, Any]]:
    """The same, each imported as it is when it is run."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        words = f"{before} {name}".strip()
        if isinstance(command, TyperGroup):
            yield from commands_of(command, words)
        else:
            yield words, command


def default_shown(field: FieldInfo) -> str:
    """The default of a setting as its table writes it."""
    default = field.get_default(call_default_factory=True)
    if default is None:
        return "none"
    if default == "":
        return "empty"
    if isinstance(default, SecretStr):
        return "development key"
    if isinstance(default, Path):
        return f"`{default.name}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_the_table_of_settings_is_that_of_the_settings() -> None:
    """Every setting with its default, in the order of the code, and no other."""
    shown = [
        (name, default) for name, default, _ in rows_of("docs/configuration.md", "## Settings")
    ]
    actual = [
        (f"`AUTHMATCH_{name.upper()}`", default_shown(field))
        for name, field in Settings.model_fields.items()
    ]

    assert actual == shown


def test_every_command_is_in_the_table() -> None:
    """And the table has no other."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)

    shown = [row[0].strip("`") for row in rows_of("docs/cli.md", "## Commands")]

    assert sorted(commands(group, "authmatch")) == sorted(shown)


def test_every_address_is_documented() -> None:
    """With its method: in the table, and under a heading of its own."""
    paths = create_app().openapi()["paths"]
    actual = {f"{method.upper()} {path}" for path, of in paths.items() for method in of}
    shown = {row[0].strip("`") for row in rows_of("docs/api.md", "## All requests")}

    assert actual | {"GET /metrics"} == shown
    told = text_of("docs/api.md").split("\n## Matching\n")[1]
    assert [each for each in sorted(actual) if each not in told] == []


def test_every_problem_type_is_documented() -> None:
    """Also those that the framework raises."""
    source = "".join(path.read_text() for path in sorted((ROOT / "service/api").glob("*.py")))
    titles = set(re.findall(r'Refused\(\s*\d{3},\s*"([^"]+)"', source))
    types = {f"urn:authmatch:problem:{title.lower().replace(' ', '-')}" for title in titles}
    # Of a part of a stream: it has no type.
    types -= {f"urn:authmatch:problem:{each}" for each in ("line-too-long", "claim-not-answered")}

    assert len(types) > 10
    assert [each for each in sorted(types) if f"`{each}`" not in text_of("docs/api.md")] == []
    assert "Line too long" in text_of("docs/api.md")
    assert "Claim not answered" in text_of("docs/api.md")


def test_every_event_code_is_documented_with_what_it_does() -> None:
    """And every outcome shows the code that it has for each type of query."""
    content = YAML(typ="safe").load(text_of("queries/reference/event-codes.yaml"))
    codes = EventCodes.model_validate(content)
    shown = {row[0]: row[1:5] for row in rows_of("docs/event-codes.md", "## All codes")}
    outcomes = rows_of("docs/event-codes.md", "## By outcome and template")
    types = ("inpatient", "outpatient", "professional", "dental", "referral")
    actual = [[codes.code_of(outcome, each) for each in types] for outcome in codes.codes]

    assert shown == {
        code: [text.name, text.severity, text.action, shown_adjustment(text.deny_with)]
        for code, text in codes.events.items()
    }
    assert actual == [row[1:-1] for row in outcomes]


def shown_adjustment(deny_with: DenyWith | None) -> str:
    """An adjustment as the table writes it: `CO 284, N54`."""
    if deny_with is None:
        return ""
    return ", ".join([f"{deny_with.group} {deny_with.carc}", *deny_with.remarks])


def test_every_key_of_events_and_of_specialised_rows_is_documented() -> None:
    """Operations change both tables."""
    events = fields_of(EventText) | fields_of(DenyWith)
    rows = fields_of(SpecialisedTable) | fields_of(CompanionRow) | fields_of(AlternateRow)
    events -= {"name", "description"}

    assert events - named_in("docs/event-codes.md") == set()
    assert rows - {"kind", "rows"} - named_in("docs/reference-data.md") == set()


def test_every_template_key_is_documented() -> None:
    """Of all parts of a template, those of merging included."""
    keys = {key for model in TEMPLATE_MODELS for key in fields_of(model)}

    assert (keys | OWN_KEYS | {"remove", "replace"}) - named_in("docs/templates.md") == set()


def test_every_template_table_and_comparison_is_documented() -> None:
    """By the name under which rules call it."""
    templates = {path.stem for path in QUERIES.glob("*.yaml")}
    references_ = {path.stem for path in (QUERIES / "reference").glob("*.yaml")}
    shown = [row[0].strip("`") for row in rows_of("docs/templates.md", "## Comparisons")]

    assert templates - named_in("docs/templates.md") == set()
    assert references_ - named_in("docs/reference-data.md") == set()
    assert [each.name for each in BUILT_IN] == shown


def test_every_code_of_a_finding_is_documented() -> None:
    """All that the service may raise, and no other."""
    source = "".join(path.read_text() for path in (ROOT / "service").rglob("*.py"))
    shown = [row[0] for row in rows_of("docs/templates.md", "## Error codes")]

    assert sorted(set(re.findall(r'"(T\d{3})"', source))) == shown


def test_every_field_that_a_template_may_name_is_documented() -> None:
    """With its type: of an authorization line and of a claim line."""
    authorization = {row[0]: row[1] for row in fields_rows("## Of an authorization line")}
    claim = {row[0]: row[1] for row in fields_rows("## Of a claim line")}

    assert {f"`{name}`": each.type for name, each in AUTHORIZATION_FIELDS.items()} == authorization
    assert {f"`{name}`": each.type for name, each in CLAIM_FIELDS.items()} == claim


def fields_rows(heading: str) -> list[list[str]]:
    """The rows of a table of fields, without those of attached data."""
    return [row for row in rows_of("docs/fields.md", heading) if "attached" not in row[0]]


def test_every_column_and_answer_of_the_tables_is_documented() -> None:
    """Columns with their kind, answers, and the functions that a cell may call."""
    known = load_rules(Settings()).references
    rows = rows_of("docs/tables.md", "## Columns")
    shown = {row[0]: row[1] for row in rows if "<name>" not in row[0]}
    own = (".attached.", "counted.")
    actual = {
        f"`{name}`": each.kind
        for name, each in columns(known).items()
        if not any(part in name for part in own)
    }
    answers = {name for table in TABLE_NAMES for name in contract(table, known, TEMPLATES).outputs}

    assert actual == shown
    assert (answers | set(TABLE_NAMES) | FUNCTIONS) - {
        word.removesuffix(".json") for word in named_in("docs/tables.md")
    } == set()


def test_every_field_of_an_authorization_is_documented() -> None:
    """Of the header, its lines, and all their parts."""
    fields = {field for model in models_in(Authorization, set()) for field in fields_of(model)}

    assert fields - named_in("docs/data-model.md") == set()


def test_every_field_of_an_adjudication_is_documented() -> None:
    """What it says beside the claim, and what the steps of a claim's life take."""
    models = models_in(Adjudication, set()) - models_in(Claim, set())
    models |= models_in(ClaimChange, set()) | models_in(BenefitLimits, set())
    fields = {field for model in models for field in fields_of(model)}
    fields -= {field for model in models_in(Claim, set()) for field in fields_of(model)}

    assert {"selections", "override", "limit_adjustments"} <= fields | fields_of(Benefit)
    assert fields - named_in("docs/data-model.md") == set()


def test_every_metric_is_documented() -> None:
    """With the page that says what to alarm on."""
    source = "".join(path.read_text() for path in (ROOT / "service").rglob("*.py"))
    metrics = set(re.findall(r'(?:Counter|Histogram|Gauge)\(\s*"(\w+)"', source))

    assert metrics
    assert metrics - named_in("docs/operations.md") == set()


def test_the_rooms_are_those_of_the_house() -> None:
    """Its rows are the layers that import-linter keeps."""
    settings = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]
    (layers,) = (
        each["layers"] for each in settings["contracts"] if each.get("containers") == ["service"]
    )
    shown = [
        row[0].replace("`", "").split(", ") for row in rows_of("CONTRIBUTING.md", "## The rooms")
    ]

    assert [layer.split(" | ") for layer in layers] == shown
