"""Faults of an engine: rooms that do not know the engines can still say which, and when again."""

import pickle

import pytest

from service.domain.engine_fault import RETRY_AFTER_S, EngineFault, RecordLost


def test_a_fault_names_its_engine() -> None:
    """The same call may succeed later, unless the request itself was refused."""
    fault = EngineFault("search", "no answer in 800 ms")

    assert str(fault) == "search: no answer in 800 ms"
    assert (fault.engine, fault.reason) == ("search", "no answer in 800 ms")
    assert (fault.retry_after_s, fault.is_lasting) == (RETRY_AFTER_S, False)


@pytest.mark.parametrize(("engine", "can_wait"), [("elasticsearch", True), ("redis", False)])
def test_what_elasticsearch_cannot_store_now_can_wait(engine: str, can_wait: bool) -> None:
    """The outbox is in Redis: a fault of Redis is not what it is for."""
    assert EngineFault(engine, "gone").can_wait is can_wait


def test_a_fault_travels_between_processes() -> None:
    """With the engine and the reason."""
    fault = pickle.loads(pickle.dumps(EngineFault("redis", "gone")))  # noqa: S301 - our own

    assert (fault.engine, fault.reason) == ("redis", "gone")


def test_a_record_that_is_lost_is_no_fault_that_passes() -> None:
    """It says what can be done instead, in another process too."""
    fault = pickle.loads(pickle.dumps(RecordLost()))  # noqa: S301 - our own

    assert (fault.is_lasting, fault.can_wait) == (True, False)
    assert "readjudicate" in fault.reason
