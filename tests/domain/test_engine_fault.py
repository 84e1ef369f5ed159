"""Faults of an engine: rooms that do not know the engines can still say which, and when again."""

from service.domain.engine_fault import RETRY_AFTER_S, EngineFault


def test_a_fault_names_its_engine() -> None:
    """The same call may succeed later, unless the request itself was refused."""
    fault = EngineFault("search", "no answer in 800 ms")

    assert str(fault) == "search: no answer in 800 ms"
    assert (fault.engine, fault.reason) == ("search", "no answer in 800 ms")
    assert (fault.retry_after_s, fault.is_lasting) == (RETRY_AFTER_S, False)
