"""What is logged holds up nobody and quotes nothing."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator

import orjson
import pytest
import structlog

from service.domain.claim import Claim
from service.logs import DROPPED, LineWriter, log_as_service, stdout_writer, told

PATIENCE_S = 20
CANARY = "CANARY-7311"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that nobody reads yet."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_log_that_nobody_reads_holds_up_nobody(pipe: tuple[int, int]) -> None:
    """Lines beyond the bound are dropped and counted; those that wait come when somebody reads."""
    reading, writing = pipe
    writer = LineWriter(writing, lines_max=50)
    before = DROPPED._value.get()
    for number in range(300):
        writer.put(f"{number} " + "x" * 4096)
    dropped = int(DROPPED._value.get() - before)
    assert dropped > 200
    seen = b""
    while seen.count(b"\n") < 300 - dropped:
        seen += os.read(reading, 1 << 20)
    writer.put("after")
    writer.flush()
    seen = os.read(reading, 1 << 20)
    assert seen.endswith(b"after\n")


def test_a_log_whose_reader_has_gone_is_dropped() -> None:
    """Nothing is raised, and the writer goes on."""
    reading, writing = os.pipe()
    os.close(reading)
    writer, before = LineWriter(writing), DROPPED._value.get()
    writer.put("a")
    writer.put("b")
    until(lambda: DROPPED._value.get() == before + 2)
    os.close(writing)


def _misfit() -> None:
    Claim.model_validate({"claim_id": {CANARY: CANARY}, "member": CANARY})


def _undecodable() -> None:
    orjson.loads(f'{{"{CANARY}": "{CANARY}}}')


def _caused() -> None:
    try:
        _misfit()
    except ValueError as error:
        raise KeyError(CANARY) from error


@pytest.mark.parametrize("fault", [_misfit, _undecodable, _caused])
def test_an_exception_is_told_without_its_text(
    fault: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Kind, places and causes are there; what it quotes is not, by whatever way it is logged."""
    log_as_service("INFO")
    try:
        fault()
    except Exception as error:
        structlog.get_logger().error("unexpected", exc_info=error)
        logging.getLogger("somebody").exception("failed for %s", CANARY)
        assert CANARY not in json.dumps(told(error))
    stdout_writer().flush()
    out = capfd.readouterr().out
    assert CANARY not in out
    first, second = (json.loads(line) for line in out.splitlines())
    assert first["event"] == "unexpected"
    assert first["places"][-1]
    assert second["event"] == "failed for %s"
    assert second["logger"] == "somebody"
    if fault is _caused:
        assert first["kind"] == "KeyError"
        assert first["causes"] == ["ValidationError"]


def test_a_fault_that_nobody_expected_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    """By us; what the server says of it once more is left out, and what else it says is not."""
    log_as_service("INFO")
    server = logging.getLogger("uvicorn.error")
    try:
        _misfit()
    except ValueError as error:
        structlog.get_logger().error("unexpected", exc_info=error)
        server.error("Exception in ASGI application\n", exc_info=error)
    server.warning("Invalid HTTP request received.")
    stdout_writer().flush()
    told = [json.loads(line)["event"] for line in capfd.readouterr().out.splitlines()]
    assert told == ["unexpected", "Invalid HTTP request received."]
