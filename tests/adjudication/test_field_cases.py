"""Situations that people of the trade met elsewhere, with the value that must come out.

They stand beside the checkout, with their own runner; where they do not, nothing is run.
"""

import importlib.util
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import uuid4

import pytest

from tests.adjudication.conftest import Services
from tests.api.bodies import claim_body
from tests.pages import ROOT

FOLDER = ROOT.parent / "shared" / "field-cases"


@cache
def runner() -> Any:
    """The runner of the cases, as it stands with them."""
    spec = importlib.util.spec_from_file_location("field_cases", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def visits(first: int, last: int, outcome: str, needed: list[str]) -> dict[str, Any]:
    """A claim of visits for nutrition counseling on days that follow one another, all alike."""
    count = last - first + 1
    lines = [{"procedure": "97802", "from": f"2026-03-{first + n:02}"} for n in range(count)]
    body = claim_body(lines=lines) | {"claim_id": f"{{{{m}}}}-{first}", "member": {"id": "{{m}}"}}
    found = {"lines[*].disposition": [outcome] * count, "lines[*].requirement.needed": needed}
    return {"call": "POST /adjudicate", "json": body, "want": found}


WRITTEN = {
    # The shipped table lets twelve visits of a year be free.
    "PC38": [
        visits(1, 11, "pay", []),
        visits(12, 12, "pay", []),
        visits(13, 13, "suspend", ["authorization"]),
    ]
}
"""Calls for cases that were written down before there was one: what must come out is theirs."""


def cases() -> list[Any]:
    """Every case under its sentence; one that is skipped where there are none."""
    if not FOLDER.is_dir():
        reason = "no folder shared/field-cases beside the checkout"
        return [pytest.param({}, id="none", marks=pytest.mark.skip(reason=reason))]
    found = runner().read_yaml(FOLDER / "cases.yaml")["cases"]
    return [pytest.param(asked(each), id=each["title"]) for each in found]


def asked(case: dict[str, Any]) -> dict[str, Any]:
    """A case with its calls, if need be with those that were written since."""
    if all("none" in step for step in case["steps"]):
        return {**case, "steps": WRITTEN.get(case["id"], case["steps"])}
    return case


@pytest.fixture(scope="module")
def service(services: Services) -> Any:
    """The service as the runner calls it, with a payer of its own."""
    return runner().Service(services.url("shipped"), f"key-{next(services.payers)}")


@pytest.fixture(scope="module")
def run() -> str:
    """What is new in the ids of every run."""
    return uuid4().hex[:6].upper()


@pytest.mark.parametrize("case", cases())
def test_it_comes_out_as_people_of_the_trade_say(
    service: Any, run: str, case: Mapping[str, Any]
) -> None:
    """Step by step, each value that must come out."""
    assert runner().run_case(service, case, FOLDER, run) is None
