"""`authmatch accumulators`: compared, copied, rebuilt."""

import json
import socket
import time

import pytest

from service.accounting.books.scale import SCALE
from service.application.parts import Stores
from service.cli.serve import LOOPBACK
from service.stores.connection.durability import WANTED
from tests.cli.conftest import Authmatch
from tests.ground import Ground
from tests.movements import Mover, forget


@pytest.fixture
def command(live: Authmatch, own: Ground, payer: str, monkeypatch: pytest.MonkeyPatch) -> Authmatch:
    """The command, after a claim drew 4 units of A1 and another one 3."""
    monkeypatch.setenv("AUTHMATCH_INDEX_PREFIX", own.settings.index_prefix)

    async def draw(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C1", 4)
        await mover.draw("C2", 3)

    own.run(draw)
    return live


def test_sound_books_end_with_zero(command: Authmatch) -> None:
    """Nothing is said but what was counted."""
    result = command("accumulators", "reconcile")

    assert result.exit_code == 0
    assert "2 ledger entries, 3 hashes (0 at rest): no differences" in result.stdout


def test_what_waits_is_copied(command: Authmatch) -> None:
    """Once."""
    first = command("accumulators", "project")
    again = command("accumulators", "project", "--json")

    assert first.stdout == "2 ledger entries copied\n"
    assert json.loads(again.stdout) == {"entries": 0}


def test_what_is_at_rest_is_archived(
    command: Authmatch, own: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of today; all of it when a year has gone by, and then it is counted as at rest."""
    command("accumulators", "project")
    assert json.loads(command("accumulators", "archive", "--json").stdout) == {"archived": 0}
    later = time.time() + 365 * 24 * 3600
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: later)
        result = command("accumulators", "archive", "--payer", payer)
    assert result.stdout == "3 claims and accounts archived\n"
    assert "3 hashes (3 at rest): no differences" in command("accumulators", "reconcile").stdout


def test_a_difference_is_named_and_ends_with_one(
    command: Authmatch, own: Ground, payer: str
) -> None:
    """Account, field, and both values; the same as JSON."""

    async def tamper(stores: Stores) -> None:
        keys = Mover(stores, payer).keys
        await stores.redis.hset(keys.accounts("A1"), "H.uu", str(9 * SCALE))

    own.run(tamper)
    result = command("accumulators", "reconcile")
    as_json = command("accumulators", "reconcile", "--payer", payer, "--json")

    assert (result.exit_code, as_json.exit_code) == (1, 1)
    assert f"accounts A1, H.uu: ledger {7 * SCALE}, found {9 * SCALE}\n" in result.stdout
    assert "1 differences" in result.stdout
    report = json.loads(as_json.stdout)
    assert report["difference_count"] == 1
    assert report["differences"][0]["field"] == "H.uu"
    assert report["payers"] == [payer]
    assert report["claims"] == []


def test_claims_that_differ_are_named_with_where_they_stand(
    command: Authmatch, own: Ground, payer: str
) -> None:
    """One that only the ledger has, one that only Redis has, and one that both have otherwise."""

    async def tamper(stores: Stores) -> None:
        mover = Mover(stores, payer)
        await mover.draw("C3", 1)
        await stores.redis.delete(mover.keys.claim("C1"))
        await stores.redis.hset(mover.keys.claim("C2"), "s", "reversed")
        await stores.redis.hset(mover.keys.claim("C9"), mapping={"id": "C9", "v": "1"})

    own.run(tamper)
    result = command("accumulators", "reconcile")
    report = json.loads(command("accumulators", "reconcile", "--json").stdout)

    told = "claims that differ: 1 in the ledger alone, 1 in Redis alone, 1 in both; --json names"
    assert told in result.stdout
    assert {each["claim_id"]: each["stands_in"] for each in report["claims"]} == {
        "C1": "ledger",
        "C2": "both",
        "C9": "redis",
    }


def test_lost_accumulators_are_rebuilt(command: Authmatch, own: Ground, payer: str) -> None:
    """The digest is that of before; without --force nothing is written over."""
    before = json.loads(command("accumulators", "reconcile", "--json").stdout)
    refused = command("accumulators", "rebuild")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr

    async def lose(stores: Stores) -> None:
        await forget(stores, payer)

    own.run(lose)
    lost = command("accumulators", "reconcile")
    assert lost.exit_code == 1
    assert "run `authmatch accumulators rebuild`" in lost.stdout

    made = command("accumulators", "rebuild")
    assert made.exit_code == 0
    assert made.stdout == (
        f"rebuilt: 2 ledger entries, 3 hashes (0 at rest)\ndigest {before['digest']}\n"
    )
    forced = command("accumulators", "rebuild", "--force", "--json")
    assert json.loads(forced.stdout)["digest"] == before["digest"]
    assert command("accumulators", "reconcile").exit_code == 0


@pytest.mark.parametrize("words", [("reconcile",), ("project",), ("rebuild",)])
def test_bad_input_and_engine_faults(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Exit code 2 for what was given, 3 for an engine that is away."""
    assert live("accumulators", *words, "--payer", "no payer").exit_code == 2

    monkeypatch.setenv("AUTHMATCH_ELASTICSEARCH_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AUTHMATCH_REDIS_URL", "redis://127.0.0.1:1/0")
    assert live("accumulators", *words).exit_code == 3


@pytest.fixture
def weak(live: Authmatch, monkeypatch: pytest.MonkeyPatch) -> Authmatch:
    """The command on a Redis that is not as it must be."""
    monkeypatch.setitem(WANTED, "maxmemory-policy", "another")
    return live


def test_no_server_starts_on_a_weak_redis(weak: Authmatch) -> None:
    """One line on stderr, and the exit code of a wrong setting."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    result = weak("serve", "--port", port)

    assert result.exit_code == 2
    assert result.stderr.startswith("error: redis: it may lose what it has acknowledged: maxmemory")
    assert result.stderr.count("\n") == 1


def test_the_doctor_sees_a_weak_redis(weak: Authmatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red, and yellow where it is allowed."""
    refused = weak("doctor", "--json")
    monkeypatch.setenv("AUTHMATCH_ALLOW_WEAK_REDIS", "true")
    allowed = weak("doctor", "--json")

    levels = [
        each["level"]
        for result in (refused, allowed)
        for each in json.loads(result.stdout)
        if each["what"] == "Redis keeps writes"
    ]
    assert levels == ["red", "yellow"]
    assert (refused.exit_code, allowed.exit_code) == (1, 0)
