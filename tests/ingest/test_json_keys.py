"""JSON of our own model: no key is left out silently, at any depth."""

from collections.abc import Iterator
from typing import Any, get_args

import orjson
import pytest
from pydantic import BaseModel

from service.domain.adjudication import Adjudication
from service.domain.authorization import Authorization
from service.ingest.submissions import read_one
from tests.builders import build_authorization

UNKNOWN = "wheel_size"


def models_in(kind: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for each in get_args(kind):
        yield from models_in(each)


def all_models(root: type[BaseModel]) -> set[type[BaseModel]]:
    """A model, and all that its fields hold, however deep."""
    found: set[type[BaseModel]] = set()
    waiting = [root]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += (
                one for each in model.model_fields.values() for one in models_in(each.annotation)
            )
    return found


@pytest.mark.parametrize("root", [Authorization, Adjudication])
def test_a_key_that_is_not_known_is_refused_at_every_depth(root: type[BaseModel]) -> None:
    """What is not read is told: nothing of ours takes it and drops it."""
    models = all_models(root)

    assert len(models) > 5
    assert {each for each in models if each.model_config.get("extra") != "forbid"} == set()


@pytest.mark.parametrize("place", ["", "/member", "/lines/0", "/lines/0/limits"])
def test_a_key_that_is_not_known_is_told_with_its_place(place: str) -> None:
    """And what it stands in is not stored."""
    document = build_authorization(lines=[{"line": 1, "limits": {"units": "3", "unit": "UN"}}])
    written: Any = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    inner = written
    for step in filter(None, place.split("/")):
        inner = inner[int(step) if step.isdigit() else step]
    inner[UNKNOWN] = 7

    submission = read_one(orjson.dumps(written))

    assert submission.pushed is None
    assert [each["path"] for each in submission.errors] == [f"{place}/{UNKNOWN}"]


def test_all_that_was_pushed_is_kept() -> None:
    """Fields that nothing matches on, too."""
    document = build_authorization(attached={"anything": {"goes": [1, None]}})
    written = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    submission = read_one(orjson.dumps(written))

    assert submission.pushed is not None
    assert submission.pushed.source == written
