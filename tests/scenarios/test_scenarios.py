"""The edge cases of the trade: a claim, the authorizations, and what an examiner expects.

The files beside this one hold them. What is not named is as in a claim and an authorization that
agree in everything; what is not expected is not looked at.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from service.application.parts import Stores
from tests.builders import build_claim
from tests.ground import Ground, match, push, version_of

pytestmark = pytest.mark.cluster

FOLDER = Path(__file__).parent
CASES = {9, 10, *range(17, 25), 30, 31, 40, 42, 47, 48, 51, 63, 64, 66, 67, 69}

Case = dict[str, Any]
Result = dict[str, Any]


def cases() -> Iterator[Case]:
    """All cases of all files."""
    reader = YAML(typ="safe", pure=True)
    for path in sorted(FOLDER.glob("*.yaml")):
        yield from reader.load(path.read_text(encoding="utf-8"))


def told(result: Result) -> Result:
    """A result in the words of the files."""
    shown = result["candidates"]
    return {
        "class": result["class"],
        "chosen": result["chosen"],
        "candidates": [each["authorization_id"] for each in shown],
        "near_misses": [each["authorization_id"] for each in result["near_misses"]],
        "missed": [each["exact_blockers"] for each in result["near_misses"]],
        "tolerance": [each["tolerance"] for each in shown],
        "blockers": [each["exact_blockers"] for each in shown],
        "fits": [each["fits"] for each in result["submitted_numbers"]],
        "no_number": [each["no_number"] for each in result["submitted_numbers"]],
        "events": sorted(each["code"] for each in result["events"]),
        "about": {
            each["code"]: each["authorization_id"]
            for each in result["events"]
            if "authorization_id" in each
        },
    }


def result_of(lines: Any, expected: Result) -> Result:
    """The result that is expected: where nothing is said, the first of the first line."""
    (line,) = [each for each in lines if each["line"] == expected.get("line", 1)]
    wanted = expected.get("type")
    found: Result = next(each for each in line["results"] if wanted in (None, each["type"]))
    return found


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case['case']} {case['title']}")
def test_an_edge_case_comes_out_as_the_examiner_expects(
    ground: Ground, payer: str, case: Case
) -> None:
    """Class, chosen and offered authorizations, events."""
    query = case.get("query", "professional")
    usual = {"number": "AU-1", "distinct": True}
    pushed = [version_of(1, query, **{**usual, **each}) for each in case["authorizations"]]
    claim = build_claim(query, **case.get("claim", {}))

    async def scenario(stores: Stores) -> None:
        for each in pushed:
            await push(stores, payer, each)
        lines = await match(stores, payer, claim)
        for expected in case["expect"]:
            result = told(result_of(lines, expected))

            assert {name: result[name] for name in expected if name in result} == {
                name: value for name, value in expected.items() if name in result
            }

    ground.run(scenario)


def test_every_case_of_the_list_is_there() -> None:
    """None of those that matching decides is forgotten."""
    assert CASES - {case["case"] for case in cases()} == set()
