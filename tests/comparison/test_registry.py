"""Comparisons by name, our own and those that another distribution offers."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.comparison import registry
from service.comparison._codes import EQUAL
from service.comparison.comparison import Comparison

SOUNDS_LIKE = Comparison(
    name="sounds-like",
    types=EQUAL.types,
    read=EQUAL.read,
    clause=EQUAL.clause,
    fits=EQUAL.fits,
    why=EQUAL.why,
)
NO_COMPARISON = "equal"


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let another distribution offer an object of this module."""

    class Offered:
        """An entry point that is already imported."""

        def __init__(self, found: object) -> None:
            self.value = "elsewhere:comparison"
            self.found = found

        def load(self) -> object:
            return self.found

    def offering(found: object) -> None:
        monkeypatch.setattr(registry, "entry_points", lambda group: [Offered(found)])

    registry.comparisons.cache_clear()
    yield offering
    registry.comparisons.cache_clear()


def test_the_built_in_comparisons() -> None:
    """A template names them so."""
    assert {
        "above",
        "any-of",
        "any-of-prefix",
        "below",
        "equal",
        "in-group",
        "in-range",
        "inside",
        "near",
        "overlaps",
        "same-group",
        "subset",
        "window",
        "within",
    } == {each.name for each in registry.BUILT_IN}


def test_another_distribution_can_offer_one(offer: Any) -> None:
    """It is found under its name, beside ours."""
    offer(SOUNDS_LIKE)

    assert SOUNDS_LIKE is registry.comparisons()["sounds-like"]
    assert EQUAL is registry.comparisons()["equal"]


@pytest.mark.parametrize(
    ("offered", "error", "reason"),
    [
        (NO_COMPARISON, TypeError, "elsewhere:comparison offers no Comparison"),
        (EQUAL, ValueError, "the comparison equal a second time"),
    ],
)
def test_a_bad_offer_is_refused(
    offer: Any, offered: object, error: type[Exception], reason: str
) -> None:
    """What is no comparison, or takes the name of another one."""
    offer(offered)

    with pytest.raises(error, match=reason):
        registry.comparisons()
