"""What the pages show is true: of the README, of the walk-through, of the page of adjudication.

Each section is run on an own payer, command after command, and every answer that a page shows is
compared with what came.
"""

import json
import re
import time
from typing import Any

import httpx
import pytest

from service.domain.adjudication import Adjudication
from tests.adjudication.desk import Desk
from tests.pages import ROOT, Call, calls_in, fences_of, has, shown_in, text_of

WALK = "docs/walk-through.md"
EXAMPLES = ROOT / "docs" / "examples" / "authorizations.ndjson"
SECTIONS = [
    ("README.md", "## A first match", 1),
    ("README.md", "## A first adjudication", 1),
    (WALK, "## Units", 5),
    (WALK, "## Pushing an authorization", 1),
    (WALK, "## A claim that came too early", 1),
]
ELSEWHERE = {"## From X12 and FHIR", "## From a charge to the number on its claim"}
"""Are asked by the tests of the API, in the words of the formats, and by those of partners."""

FOUND_S = 20
"""A worker looks at late authorizations within seconds."""


def called(desk: Desk, call: Call) -> httpx.Response:
    """The answer to a call, from the service of the tests; it must be a success."""
    answer = desk.client().request(
        call.method, call.path, headers=call.headers, content=call.content
    )
    assert answer.is_success, answer.text
    return answer


def told(desk: Desk, call: Call, shown: str) -> httpx.Response:
    """The answer to a call, when it is as it is shown; only the worklist is waited for."""
    until = time.monotonic() + (FOUND_S if call.path.startswith("/worklist?") else 0)
    while True:
        answer = called(desk, call)
        if has(answer.json(), json.loads(shown)):
            return answer
        assert time.monotonic() < until, json.dumps(answer.json(), indent=1)
        time.sleep(0.2)


def walked(desk: Desk, page: str, heading: str) -> list[Any]:
    """Do what a section says; gives the answers to the calls that show one."""
    answers: list[Any] = []
    fences = fences_of(page, heading)
    after = [*fences[1:], ("", "")]
    for (language, text), (following, shown) in zip(fences, after, strict=True):
        if language != "sh":
            continue
        *quiet, last = calls_in(text)
        for call in quiet:
            called(desk, call)
        if following == "json":
            answers.append(told(desk, last, shown).json())
        else:
            called(desk, last)
    return answers


@pytest.fixture
def loaded(desk: Desk) -> Desk:
    """A desk with the examples of the documentation."""
    answer = desk.client().post("/authorizations/bulk", content=EXAMPLES.read_bytes())
    assert answer.status_code == httpx.codes.OK
    return desk


def test_no_section_shows_answers_that_nobody_compares() -> None:
    """Every section of both pages with a call and JSON is run."""
    found = {
        (page, heading)
        for page in ("README.md", WALK)
        for heading in re.findall(r"^## .+$", text_of(page), re.MULTILINE)
        if {"sh", "json"} <= {language for language, _ in fences_of(page, heading)}
    }

    assert found == {each[:2] for each in SECTIONS} | {(WALK, each) for each in ELSEWHERE}


@pytest.mark.parametrize(("page", "heading", "count"), SECTIONS)
def test_what_a_section_shows_is_true(loaded: Desk, page: str, heading: str, count: int) -> None:
    """Command after command; ``count`` of them show their answer."""
    assert len(walked(loaded, page, heading)) == count


def test_the_first_adjudication_again_draws_nothing(loaded: Desk) -> None:
    """As the README says below it."""
    heading = "## A first adjudication"
    walked(loaded, "README.md", heading)
    ((_, command), _) = fences_of("README.md", heading)
    (call,) = calls_in(command)

    assert called(loaded, call).json()["replayed"] is True


def test_the_claim_that_came_too_early_is_paid_in_the_end(loaded: Desk) -> None:
    """The last command of its section, which shows no answer: four units are paid."""
    walked(loaded, WALK, "## A claim that came too early")
    claim = called(loaded, Call(path="/claims/C-2026-000301")).json()

    assert [line["disposition"] for line in claim["lines"]] == ["pay"]
    assert claim["lines"][0]["approved"]["units"] == "4"


def test_the_answers_on_the_page_of_adjudication_are_true(loaded: Desk) -> None:
    """The second claim as it was answered, and what changed when the third is run anew."""
    selection, changed, whole = shown_in("docs/adjudication.md")
    answers = walked(loaded, WALK, "## Units")
    again = loaded.client().post(
        "/adjudicate",
        params={"readjudicate": True},
        content=(EXAMPLES.parent / "units-exhausted.json").read_bytes(),
    )

    assert has(answers[1], whole), json.dumps(answers[1], indent=1)
    assert has(again.json(), changed), again.text
    claim = json.loads((EXAMPLES.parent / "units-exact.json").read_text(encoding="utf-8"))
    assert Adjudication.model_validate_json(json.dumps(claim | selection)).selections
