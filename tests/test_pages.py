"""What the pages say can be read and followed: links, snippets, sources, decisions, targets."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from service.domain.adjudication import ClaimChange
from service.domain.authorization import Authorization
from service.querying.library import load_library
from tests.builders import references
from tests.pages import DOCS, FENCE, PAGES, ROOT, name_of, rows_of, snippets, text_of

README_BYTES_MAX = 12_000
BUILT = ("yes", "part", "no")
FAULTS = 79
CITING = {".py", ".lua", ".md", ".yaml", ".json"}

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_MODULE = re.compile(r"(?<![\w/.-])(?:service|tests|authmatch_local)/[\w./-]*\w")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    broken = []
    for link in _LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
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


def test_what_is_promised_is_held_by_a_test_that_is_there() -> None:
    """What is built names one, what is not says so."""
    text = text_of("docs/seeds.md")
    cells = [[each.strip() for each in line.split("|")] for line in text.splitlines()]
    rows = [(each[2], each[4]) for each in cells if each[2:3] and each[2] in BUILT]

    assert len(rows) > 50
    assert [each for each in rows if (each[0] == "no") == each[1].startswith("[")] == []
    assert not_there(text) == []


def test_every_fault_is_held_by_a_test_that_is_there() -> None:
    """Or the page says why it cannot happen here."""
    text = text_of("docs/faults.md")
    lines = (each.strip("| ").split(" | ") for each in text.splitlines())
    rows = [each for each in lines if each[0].isdigit()]
    bare = [each for each in rows if not each[3].startswith("[`test_")]

    assert [int(each[0]) for each in rows] == list(range(1, FAULTS + 1))
    assert [each[0] for each in bare if each[2] != "-" or len(each[3]) < 80] == []
    assert not_there(text) == []


def test_every_weakness_is_held_by_a_test_that_is_there() -> None:
    """Each row names one."""
    text = text_of("docs/weaknesses.md")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:2] == "| "]
    found = [each for each in rows if each[0] not in ("what was found", "---")]

    assert len(found) > 35
    assert [each[0] for each in found if len(each) != 3 or not each[2].startswith("[`test_")] == []
    assert not_there(text) == []


def not_there(text: str) -> list[tuple[str, str]]:
    """Tests that a page names, with their files, and that are not."""
    named = re.findall(r"\[`(test_\w+)`\]\(\.\./(\S+)\)", text)
    return [each for each in named if f"def {each[0]}(" not in text_of(each[1])]


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


def test_every_file_that_a_page_names_is_there() -> None:
    """Of the code: only decisions, and the changelog, tell of what was."""
    named = {
        (name_of(page), path)
        for page in PAGES
        if page.parent != DOCS / "adr" and page.name != "CHANGELOG.md"
        for path in _MODULE.findall(page.read_text(encoding="utf-8"))
    }

    assert {"docs/flow.md", "CONTRIBUTING.md"} <= {page for page, _ in named}
    assert [(page, path) for page, path in sorted(named) if not (ROOT / path).exists()] == []


def test_readme_is_short() -> None:
    """It is read by those who do not know yet whether they want to read more."""
    assert (ROOT / "README.md").stat().st_size < README_BYTES_MAX


def test_every_decision_is_listed_with_its_title_and_has_a_date() -> None:
    """In the order of their numbers."""
    listed = [f"{cells[0]} {cells[1]}" for cells in rows_of("docs/adr/README.md", "# Decisions")]
    written = []
    for path in sorted((DOCS / "adr").glob("[0-9]*.md")):
        title, rest = path.read_text(encoding="utf-8").removeprefix("# ").split("\n", 1)
        number, _, decision = title.partition(". ")
        written.append(f"[{number}]({path.name}) {decision}")
        (day,) = re.findall(r"^- Date: (.+)$", rest.partition("\n## ")[0], re.MULTILINE)
        date.fromisoformat(day)

    assert written == listed


def test_every_source_that_is_cited_is_described() -> None:
    """A citation such as *seed 001* leads to what was taken from that document."""
    roots = (ROOT / "service", ROOT / "tests", ROOT / "queries", DOCS)
    files = [path for root in roots for path in root.rglob("*") if path.suffix in CITING]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    cited = set(re.findall(r"\bseed (\d{3})\b", text))
    described = re.findall(r"^## Seed (\d{3})$", text_of("docs/sources.md"), re.MULTILINE)

    assert {"000", "001", "004"} <= cited
    assert cited - set(described) == set()
    assert all(f"[seed {each}](#seed-{each})" in text_of("docs/sources.md") for each in described)


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


def test_every_target_that_is_named_is_one_of_make() -> None:
    """In the text and in the snippets."""
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {
        target
        for page in map(name_of, PAGES)
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", text_of(page), re.MULTILINE)
    }

    assert {"run", "test", "check", "bench"} <= named
    assert named - targets == set()
