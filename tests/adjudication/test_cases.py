"""The edge cases of drawing units: claims that come one after the other, and what becomes of them.

The files of the folder `cases` hold them, in the words of an examiner. What is not named is as in
a claim and an authorization that agree in everything; what is not expected is not looked at.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from tests.adjudication import telling
from tests.adjudication.desk import Desk
from tests.adjudication.holdings import check_holdings

FOLDER = Path(__file__).parent / "cases"
CASES = {
    *range(1, 12),
    *(14, 15, 16, 25, 26, 27),
    *range(33, 39),
    *(44, 45),
    *range(52, 58),
    *range(67, 72),
    *(74, 75, 76),
}
STEPS = ("finalize", "release", "reverse", "adjust")

Fields = dict[str, Any]


def cases() -> Iterator[Fields]:
    """All cases of all files."""
    reader = YAML(typ="safe", pure=True)
    for path in sorted(FOLDER.glob("*.yaml")):
        yield from reader.load(path.read_text(encoding="utf-8"))


def plain(value: Any) -> Any:
    """What a file expects, with numbers as they are shown."""
    if isinstance(value, Mapping):
        return {plain_key(name): plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return list(map(plain, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def plain_key(name: Any) -> Any:
    """A name, or the number of a line."""
    return name if isinstance(name, str) else str(name)


def same(told: Any, expected: Any) -> None:
    """What is expected is told so; a word that is never told is a slip of the file."""
    wanted = plain(expected)
    shown = plain(told)
    assert {name: shown[name] for name in wanted} == wanted


def merged(case: Fields, own: Fields) -> Fields:
    """The claim of a step, on top of what the case says of all its claims."""
    usual = case.get("claim", {})
    claim = {"query": case.get("query", "professional"), **usual, **own}
    if "line" in usual and "line" in own:
        claim["line"] = usual["line"] | own["line"]
    elif "lines" in own:
        claim.pop("line", None)
    return claim


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case['case']} {case['title']}")
def test_a_case_comes_out_as_the_examiner_expects(desk: Desk, case: Fields) -> None:
    """Step by step; in the end the accumulators are the sum of what the claims hold."""
    for each in case["authorizations"]:
        answer = _pushed(desk, case, each)
        assert answer.status_code == httpx.codes.CREATED, answer.text
    for step in case["steps"]:
        take(desk, case, step)
        look(desk, step)
    check_holdings(desk)


def take(desk: Desk, case: Fields, step: Fields) -> None:
    """Do what a step says, and look at its answer."""
    (what,) = WAYS.keys() & step.keys()
    content = step[what]
    if what == "at_once":
        told = _outcomes(desk.at_once(merged(case, each) for each in content))
        assert told == sorted(step["outcomes"])
        return
    answer = WAYS[what](desk, case, content)
    if "refused" in step:
        assert f"{answer.status_code} {answer.json()['title']}" == step["refused"], answer.text
        assert step.get("because", "") in answer.json()["detail"]
        return
    assert answer.is_success, answer.text
    if what == "adjudicate":
        _of_claim(answer.json(), step)
    elif what in STEPS:
        same(telling.tell_change(answer.json()), step.get("answer", {}))
    elif what == "benefit-limits":
        told_lines = telling.tell_benefit(answer.json()["lines"])
        for expected, one in zip(step["expect"], told_lines, strict=True):
            same(one, expected)


def _outcomes(answers: Iterable[httpx.Response]) -> list[str]:
    return sorted(
        f"{line['disposition']} {line['approved']['units']}"
        for each in answers
        for line in each.json()["lines"]
    )


def _of_claim(answer: Fields, step: Fields) -> None:
    same(telling.tell_answer(answer), step.get("answer", {}))
    lines = {each["line"]: telling.tell_line(each) for each in answer["lines"]}
    for expected in step.get("expect", ()):
        same(lines[expected.get("line", 1)], expected)


def _pushed(desk: Desk, case: Fields, content: Fields) -> httpx.Response:
    return desk.push(**{"query": case.get("query", "professional"), **content})


def _changed(step: str) -> Callable[[Desk, Fields, Fields], httpx.Response]:
    return lambda desk, _, content: desk.change(step, **({"claim_id": "C-1"} | content))


WAYS: Mapping[str, Callable[[Desk, Fields, Fields], httpx.Response]] = {
    "adjudicate": lambda desk, case, content: desk.adjudicate(**merged(case, content)),
    "at_once": lambda desk, case, content: desk.at_once([merged(case, content)])[0],
    "push": _pushed,
    "withdraw": lambda desk, _, content: desk.withdraw(**content),
    **{name: _changed(name) for name in (*STEPS, "benefit-limits")},
}


def look(desk: Desk, step: Fields) -> None:
    """Look at what a step left behind."""
    for name, expected in step.get("balances", {}).items():
        same(telling.tell_accounts(desk.accounts(name)), expected)
    for name, expected in step.get("statuses", {}).items():
        assert desk.read(f"/claims/{name}")["status"] == expected
    for name, expected in step.get("claims", {}).items():
        found = desk.read(f"/authorizations/{name}/claims")["claims"]
        assert telling.tell_related(found) == expected
    for name, expected in step.get("ledger", {}).items():
        entries = desk.read(f"/authorizations/{name}/ledger")["entries"]
        assert [each["kind"] for each in entries] == expected


def test_every_case_of_the_list_is_there() -> None:
    """None of those that drawing units decides is forgotten."""
    assert CASES - {case["case"] for case in cases()} == set()
