"""The buckets of callers: what is taken, what comes back, what a worker gives of a rate."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.limits import Asker, Bucket, Limits, Quota, TooMany, quota_of
from service.access.subject import Subject
from service.domain.engine_fault import EngineFault


@pytest.fixture(autouse=True)
def standing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that stands: nothing comes back while a test asks, however long that takes."""
    monkeypatch.setattr("service.access.limits.time", SimpleNamespace(monotonic=lambda: 1000.0))


class Others:
    """What the other workers say they were asked for."""

    def __init__(self, of_others: int = 0) -> None:
        self.of_others = of_others
        self.is_away = False

    async def told(self, asked: Mapping[Asker, int]) -> Mapping[Asker, tuple[int, int]]:
        """This worker's own, and of all."""
        if self.is_away:
            raise EngineFault("redis", "cannot be reached")
        return {asker: (count, count + self.of_others) for asker, count in asked.items()}


def subject(name: str = "a", *payers: str) -> Subject:
    """A caller."""
    return Subject(kind="key", name=name, payers=frozenset(payers or ("P",)), scopes=frozenset())


def entered(limits: Limits, who: Subject, times: int) -> int:
    """How many of so many requests are let in."""
    count = 0
    for _ in range(times):
        try:
            limits.enter(who).at_once -= 1
        except TooMany as refused:
            assert refused.retry_after_s >= 1
        else:
            count += 1
    return count


@given(
    rate=st.floats(0.5, 50),
    seconds=st.lists(st.floats(0, 3), max_size=60),
)
def test_no_more_is_taken_than_came_back(rate: float, seconds: list[float]) -> None:
    """Whatever the pauses: the burst, and the rate for the time since."""
    most = rate * 2
    bucket = Bucket(most, 0)
    now, taken = 0.0, 0
    for pause in seconds:
        now += pause
        taken += bucket.take(now, rate, most)
    assert taken <= most + now * rate + 1e-6
    assert bucket.take(now + 2 / rate + 2, rate, most) is (most >= 1)


@pytest.mark.parametrize(
    ("rate", "times", "let_in"), [(0, 500, 500), (0.001, 5, 1), (2, 50, 4), (10, 50, 20)]
)
def test_a_caller_has_its_burst(rate: float, times: int, let_in: int) -> None:
    """Two seconds of its rate, at least one; without a rate all; another caller has his own."""
    limits = Limits(Others(), rate=rate, at_once=0, failures=0)
    assert entered(limits, subject(), times) == let_in
    assert entered(limits, subject("b"), times) == let_in
    assert entered(limits, subject("a", "Q"), times) == let_in


def test_what_is_at_work_is_bounded() -> None:
    """What ended makes room; the reason names the bound."""
    limits = Limits(Others(), rate=0, at_once=3, failures=0)
    first, _, _ = [limits.enter(subject()) for _ in range(3)]
    with pytest.raises(TooMany, match="at most 3 requests of a caller at once"):
        limits.enter(subject())
    first.at_once -= 1
    limits.enter(subject())
    limits.enter(subject("b"))


@pytest.mark.parametrize(("of_others", "let_in"), [(0, 200), (100, 100), (300, 50)])
def test_a_worker_gives_the_share_that_was_asked_of_it(of_others: int, let_in: int) -> None:
    """Of a rate of 100, and its burst of 200, after it was asked for 100 of all."""
    others = Others(of_others)
    limits = Limits(others, rate=100, at_once=0, failures=0)
    assert entered(limits, subject(), 100) == 100
    asyncio.run(limits.tell())
    bucket = limits.enter(subject())
    bucket.tokens = 1e9  # what has come back meanwhile
    assert entered(limits, subject(), 400) == let_in


def test_while_workers_cannot_tell_each_other_each_gives_all() -> None:
    """Nobody is kept out by an engine that is away."""
    others = Others(300)
    limits = Limits(others, rate=100, at_once=0, failures=0)
    entered(limits, subject(), 100)
    asyncio.run(limits.tell())
    others.is_away = True
    bucket = limits.enter(subject())
    assert bucket.share == 0.25
    with pytest.raises(EngineFault):
        asyncio.run(limits.tell())
    assert bucket.share == 1


def test_wrong_credentials_are_counted_by_address() -> None:
    """Ten seconds of the rate, then no more of this address; without a rate all."""
    limits = Limits(Others(), rate=0, at_once=0, failures=2)
    for _ in range(20):
        limits.failed("10.0.0.1")
    with pytest.raises(TooMany, match="at most 2 wrong credentials"):
        limits.failed("10.0.0.1")
    limits.failed("10.0.0.2")
    for _ in range(500):
        Limits(Others(), rate=0, at_once=0, failures=0).failed("10.0.0.1")


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (1000, Quota("rate", 2000, 2)),
        (1.5, Quota("rate", 3, 2)),
        (0.7, Quota("rate", 1, 2)),
        (0.3, Quota("rate", 1, 4)),
        (0.01, Quota("rate", 1, 100)),
    ],
)
def test_a_rate_is_told_in_whole_numbers_and_never_as_more(rate: float, told: Quota) -> None:
    """Whoever keeps to it is within the rate."""
    assert quota_of("rate", rate, 2.0) == told
    assert told.window_s is not None
    assert told.most <= rate * told.window_s
