"""The documentation names all that there is, and what it shows can be read."""

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Any, get_args

import pytest
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
from service.querying.inheritance import OWN_KEYS
from service.querying.library import load_library
from service.requirement.cells import FUNCTIONS
from service.requirement.inputs import columns
from service.requirement.tables import TABLE_NAMES, contract
from service.rules.files import load_rules
from service.settings import Settings
from tests.builders import references

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
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

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[\w.\-<>${}/]+")


def name_of(path: Path) -> str:
    """The path as a person would write it."""
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(page: str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def named_in(page: str) -> frozenset[str]:
    """All words that a page writes as code outside its fences."""
    text = _FENCE.sub("", text_of(page))
    return frozenset(word for code in _CODE.findall(text) for word in _WORD.findall(code))


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The rows of the table under a heading, as cells."""
    section = text_of(page).split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def snippets(language: str) -> Iterator[tuple[str, str]]:
    """All fenced texts of a language, with their pages."""
    for page in PAGES:
        for found, text in _FENCE.findall(page.read_text(encoding="utf-8")):
            if found == language:
                yield name_of(page), text


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
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}"


def default_shown(field: FieldInfo) -> str:
    """The default of a setting as README writes it."""
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
    shown = [(name, default) for name, default, _ in rows_of("README.md", "## Configuration")]
    actual = [
        (f"`AUTHMATCH_{name.upper()}`", default_shown(field))
        for name, field in Settings.model_fields.items()
    ]

    assert actual == shown


def test_every_command_is_in_the_table() -> None:
    """And the table has no other."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)

    shown = [row[0].strip("`") for row in rows_of("README.md", "## The command line")]

    assert sorted(commands(group, "authmatch")) == sorted(shown)


def test_every_address_is_documented() -> None:
    """With its method: in README's table and on the page of the API."""
    paths = create_app().openapi()["paths"]
    actual = {f"{method.upper()} {path}" for path, of in paths.items() for method in of}
    shown = {row[0].strip("`") for row in rows_of("README.md", "## The API")}

    assert actual | {"GET /metrics"} == shown
    assert [each for each in sorted(actual) if each not in text_of("docs/api.md")] == []


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
    shown = {row[0]: row[1] for row in rows if "attached" not in row[0]}
    actual = {
        f"`{name}`": each.kind for name, each in columns(known).items() if "attached" not in name
    }
    answers = {name for table in TABLE_NAMES for name in contract(table, known).outputs}

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


def test_the_house_in_readme_is_the_house() -> None:
    """Its rows are the layers that import-linter keeps."""
    settings = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]
    (layers,) = (
        each["layers"] for each in settings["contracts"] if each.get("containers") == ["service"]
    )
    shown = [row[0].replace("`", "").split(", ") for row in rows_of("README.md", "## The house")]

    assert [layer.split(" | ") for layer in layers] == shown


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


def anchors_of(page: Path) -> set[str]:
    """The anchors of the headings of a page, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_every_page_can_be_reached_from_readme() -> None:
    """A page that nobody links is not read."""
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        links = _LINK.findall(page.read_text(encoding="utf-8"))
        targets = [(page.parent / link.partition("#")[0]).resolve() for link in links]
        todo += [each for each in targets if each.suffix == ".md" and each.is_file()]

    assert {name_of(page) for page in PAGES} - {name_of(page) for page in reached} == set()


def test_json_and_yaml_snippets_can_be_read() -> None:
    """An authorization among them is one that would be taken."""
    read = [json.loads(text) for _, text in snippets("json")]
    pushed = [each for each in read if "setting" in each]

    assert read
    assert pushed
    for each in pushed:
        Authorization.model_validate(each)
    assert all(YAML(typ="safe").load(text) for _, text in snippets("yaml"))


@pytest.mark.parametrize(
    ("address", "model"), [("authorizations", Authorization), ("claims", ClaimChange)]
)
def test_bodies_in_the_documentation_can_be_taken(address: str, model: type[BaseModel]) -> None:
    """What stands behind `-d` of a call."""
    calls = [text for _, text in snippets("sh") if f"/{address}/" in text]
    bodies = re.findall(r"-d '(\{.*?\})'", "".join(calls), re.DOTALL)

    assert bodies
    for body in bodies:
        model.model_validate_json(body)


@pytest.mark.parametrize("text", [text for page, text in snippets("yaml") if "templates" in page])
def test_templates_in_the_documentation_are_right(text: str) -> None:
    """Parts of one are checked as an extension of the professional template."""
    if not text.startswith("api:"):
        head = "api: authmatch/v1\nkind: QueryTemplate\nid: part\nversion: 1\ntitle: A part\n"
        text = f"{head}extends: professional\n{text}"
    files = {name: text_of(f"queries/{name}") for name in ("base.yaml", "professional.yaml")}

    assert list(load_library({**files, "shown.yaml": text}, references()).problems) == []
