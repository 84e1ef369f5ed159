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
from tests.pages import ROOT

FOLDER = ROOT.parent / "shared" / "field-cases"

KNOWN_SHORT = {
    "an authorization is needed only after the first visits",
}
"""What does not come out yet. A case that does is taken off: the list only shrinks."""


@cache
def runner() -> Any:
    """The runner of the cases, as it stands with them."""
    spec = importlib.util.spec_from_file_location("field_cases", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases() -> list[Any]:
    """Every case under its sentence; one that is skipped where there are none."""
    if not FOLDER.is_dir():
        reason = "no folder shared/field-cases beside the checkout"
        return [pytest.param({}, id="none", marks=pytest.mark.skip(reason=reason))]
    found = runner().read_yaml(FOLDER / "cases.yaml")["cases"]
    return [pytest.param(each, id=each["title"]) for each in found]


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
    """Step by step; what is known to be short must still be short."""
    short = runner().run_case(service, case, FOLDER, run)

    if case["title"] in KNOWN_SHORT:
        assert short, "it comes out now: take it off the list of what is known to be short"
    else:
        assert short is None
