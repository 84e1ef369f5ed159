"""The soak: what it calls flat, and that it runs."""

import uuid

import pytest

from benchmarks.soak import Held, rows_of, soak
from tests.ground import Ground, ground, settings_on, uninstall

__all__ = ["ground"]


def samples(memory: list[float], descriptors: int = 40) -> list[Held]:
    """What a worker held, look by look."""
    return [Held(pid=1, memory_mb=each, descriptors=descriptors, connections=20) for each in memory]


@pytest.mark.parametrize(
    ("memory", "after", "flat"),
    [
        ([100, 150, 160, 160, 161, 160, 162, 161, 160], 161, True),
        ([100, 120, 140, 160, 180, 200, 220, 240, 260], 260, False),
        ([100, 150, 160, 160, 161, 160, 162, 161, 160], 300, False),
        ([20, 20, 20, 20, 20, 20, 22, 22, 22], 22, True),
    ],
    ids=["warms up", "grows", "grows after it", "a few megabytes"],
)
def test_what_is_flat(memory: list[float], after: float, flat: bool) -> None:
    """The last third against the middle one: the first warms up."""
    (last,) = samples([after])
    rows = list(rows_of("worker", samples(memory), last))
    assert [each.is_flat for each in rows] == [flat, True, True]


def test_descriptors_that_stay_are_told() -> None:
    """Each forgotten connection is one."""
    (after,) = samples([100], descriptors=90)
    found = {each.what: each.is_flat for each in rows_of("w", samples([100] * 9), after)}
    assert found == {"w: memory_mb": True, "w: descriptors": False, "w: connections": True}


@pytest.mark.long
def test_it_runs(ground: Ground, elasticsearch_url: str, redis_url: str) -> None:
    """For some seconds: no answer is wrong, no worker is another one, and the books agree."""
    prefix = f"soak-{uuid.uuid4().hex[:8]}-"
    settings = settings_on(elasticsearch_url, redis_url, index_prefix=prefix)
    try:
        rows, wrong = soak(settings, 10, lambda _: None)
    finally:
        Ground(settings, ground.rules).run(uninstall)
    assert len(rows) == 6
    assert [each for each in wrong if "flat" not in each] == []
