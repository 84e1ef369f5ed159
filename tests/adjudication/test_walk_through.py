"""The walk-through of README: its five commands give what it shows, and so do other pages."""

import json
import re
from typing import Any

import httpx
import pytest

from service.domain.adjudication import Adjudication
from tests.adjudication.desk import Desk
from tests.readme import ROOT, fences_in, fences_of, has

EXAMPLES = ROOT / "docs" / "examples" / "authorizations.ndjson"
HEADING = "## A walk-through: units"

_COMMAND = re.compile(
    r"curl -s http://127\.0\.0\.1:8080(?P<path>\S+)"
    r"(?: -H 'Content-Type: application/json')?(?:\s*\\\n)?"
    r"(?:\s+-d (?:@(?P<file>\S+)|'(?P<body>[^']+)'))? \| python3 -m json\.tool\n"
)


def walk_through() -> list[tuple[str, Any]]:
    """The commands, each with the answer that stands after it."""
    fences = fences_of(HEADING)
    languages = [language for language, _ in fences]
    texts = [text for _, text in fences]

    assert languages == ["sh", "json"] * (len(fences) // 2)
    return list(zip(texts[::2], map(json.loads, texts[1::2]), strict=True))


def shown_in(page: str) -> list[Any]:
    """All JSON of a page."""
    return [json.loads(text) for language, text in fences_in(page) if language == "json"]


def called(desk: Desk, command: str) -> Any:
    """The answer to a command, from the service of the tests."""
    words = _COMMAND.fullmatch(command)
    assert words is not None, command
    content: str | None = words["body"]
    if words["file"]:
        content = (ROOT / words["file"]).read_text(encoding="utf-8")
    method = "GET" if content is None else "POST"
    answer = desk.client().request(method, words["path"], content=content)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


@pytest.fixture
def loaded(desk: Desk) -> Desk:
    """A desk with the examples of the documentation."""
    answer = desk.client().post("/authorizations/bulk", content=EXAMPLES.read_bytes())
    assert answer.status_code == httpx.codes.OK
    return desk


def test_the_walk_through_of_readme_is_true(loaded: Desk) -> None:
    """Command after command."""
    steps = walk_through()

    assert len(steps) == 5
    for command, shown in steps:
        answer = called(loaded, command)
        assert has(answer, shown), json.dumps(answer, indent=1)


def test_the_answers_on_the_page_of_adjudication_are_true(loaded: Desk) -> None:
    """The second claim as it was answered, and what changed when the third is run anew."""
    selection, changed, whole = shown_in("docs/adjudication.md")
    answers = [called(loaded, command) for command, _ in walk_through()]
    again = loaded.client().post(
        "/adjudicate",
        params={"readjudicate": True},
        content=(EXAMPLES.parent / "units-exhausted.json").read_bytes(),
    )

    assert has(answers[1], whole), json.dumps(answers[1], indent=1)
    assert has(again.json(), changed), again.text
    claim = json.loads((EXAMPLES.parent / "units-exact.json").read_text(encoding="utf-8"))
    assert Adjudication.model_validate_json(json.dumps(claim | selection)).selections
