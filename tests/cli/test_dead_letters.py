"""`authmatch deadletters`: listed, shown, tried again, dropped."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.application.parts import Stores
from service.domain.submission import DeadLetter
from tests.builders import build_authorization
from tests.cli.conftest import Authmatch
from tests.ground import Ground


def written(**changes: Any) -> bytes:
    """An authorization as a sender writes it."""
    made = build_authorization(**changes)
    return made.model_dump_json(by_alias=True, exclude_unset=True).encode()


def keep(ground: Ground, payer: str, *contents: bytes, whole: bool = True) -> list[str]:
    """Keep dead letters of these contents, and give their ids."""
    letters = [
        DeadLetter(
            format="json",
            content=each,
            content_bytes=len(each) + (not whole),
            code="invalid",
            reason="/kind: not a word",
            position={"line": 3},
            origin="a.ndjson",
            authorization_id="A1",
            version=1,
        )
        for each in contents
    ]

    async def scenario(stores: Stores) -> list[str]:
        return await stores.letters.keep(payer, letters)

    return ground.run(scenario)


def lines(text: str) -> list[dict[str, Any]]:
    """The lines of an answer for programs."""
    return [json.loads(each) for each in text.splitlines()]


def test_they_are_listed_and_shown(live: Authmatch, ground: Ground, payer: str) -> None:
    """In a table, and for programs; one with all that is known of it and its content."""
    nothing = live("deadletters", "list")
    (name,) = keep(ground, payer, b'{"kind": 7}')
    table = live("deadletters", "list")
    (listed,) = lines(live("deadletters", "list", "--json").stdout)
    shown = live("deadletters", "show", name)
    for_programs = json.loads(live("deadletters", "show", name, "--json").stdout)

    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert name in table.stdout
    assert "/kind: not a word" in table.stdout
    assert (listed["id"], listed["position"]) == (name, {"line": 3})
    assert "content" not in listed
    assert "reason: /kind: not a word" in shown.stdout
    assert shown.stdout.endswith('\n{"kind": 7}\n')
    assert (for_programs["content"], for_programs["encoding"]) == ('{"kind": 7}', "utf-8")


def test_a_list_shows_the_reason_at_eighty_columns(
    live: Authmatch, ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the id of the authorization is."""
    letter = DeadLetter(
        format="x12",
        content=b"x",
        content_bytes=1,
        code="invalid",
        reason="granted without a date of service or validity",
        origin="POST /x12",
        authorization_id="A" * 64,
        version=7,
    )

    async def keep_one(stores: Stores) -> list[str]:
        return await stores.letters.keep(payer, [letter])

    (name,) = ground.run(keep_one)
    monkeypatch.setenv("COLUMNS", "80")

    shown = live("deadletters", "list").stdout

    assert max(map(len, shown.splitlines())) <= 80
    assert name in shown
    assert "granted without a date of service or validity" in " ".join(shown.split())


def test_listing_is_narrowed(live: Authmatch, ground: Ground, payer: str) -> None:
    """By status, code, format and number; open ones only, unless told otherwise."""
    names = keep(ground, payer, b"1", b"2", b"3")
    live("deadletters", "drop", names[0], "--by", "me", "--why", "a test")

    def listed(*words: str) -> int:
        return len(lines(live("deadletters", "list", "--json", *words).stdout))

    assert listed() == 2
    assert listed("--status", "dropped") == 1
    assert listed("--status", "all") == 3
    assert listed("--status", "all", "--size", "1") == 1
    assert listed("--code", "conflict") == listed("--format", "x12") == 0


def test_all_are_tried_again(live: Authmatch, ground: Ground, payer: str) -> None:
    """Those that can be taken go in; exit code 1 as long as one stays."""
    good = [written(authorization_id=f"A{each}", number=f"N{each}") for each in range(3)]
    keep(ground, payer, *good, b'{"kind": 7}')
    first = live("deadletters", "retry", "--all", "--by", "me", "--json")
    told = lines(first.stdout)
    (left,) = lines(live("deadletters", "list", "--json").stdout)
    dropped = live("deadletters", "drop", left["id"], "--by", "me", "--why", "never mind")
    none = live("deadletters", "retry", "--all")

    assert first.exit_code == 1
    assert sorted(each["status"] for each in told) == ["open"] + ["resolved"] * 3
    assert left["tries"] == 1
    assert left["reason"].startswith("/authorization_id: Field required")
    assert (dropped.exit_code, dropped.stdout) == (0, f"{left['id']}: dropped\n")
    assert (none.exit_code, none.stdout) == (0, "")


def test_one_is_corrected(live: Authmatch, ground: Ground, payer: str, tmp_path: Path) -> None:
    """With the content of a file; also where only its beginning was kept."""
    fixed = tmp_path / "fixed.json"
    fixed.write_bytes(written())
    (name,) = keep(ground, payer, b'{"authorization_id": "A1", "ki', whole=False)
    refused = live("deadletters", "retry", name)
    done = live("deadletters", "retry", name, "--with", fixed)
    again = live("deadletters", "retry", name)

    assert refused.exit_code == 1
    assert "only its beginning was kept" in refused.stdout
    assert (done.exit_code, done.stdout) == (0, f"{name}: resolved\n")
    assert (again.exit_code, again.stdout) == (1, f"{name}: refused: it was resolved before\n")


def test_an_engine_that_is_away_is_told(
    live: Authmatch, ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3; the letter stays."""
    (name,) = keep(ground, payer, written())
    monkeypatch.setenv("AUTHMATCH_REDIS_URL", "redis://127.0.0.1:1/0")
    failed = live("deadletters", "retry", name)
    monkeypatch.setenv("AUTHMATCH_ELASTICSEARCH_URL", "http://127.0.0.1:1")
    unreachable = live("deadletters", "list")

    assert (failed.exit_code, unreachable.exit_code) == (3, 3)
    assert f"{name}: open: redis" in failed.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("retry",), 2),
        (("retry", "x", "--all"), 2),
        (("retry", "x", "y", "--with", "file"), 2),
        (("retry", "x", "--with", "/no/such/file"), 2),
        (("retry", "unknown"), 1),
        (("show", "unknown"), 2),
        (("drop", "unknown", "--why", "y"), 1),
        (("drop", "unknown", "--by", "x"), 2),
        (("list", "--status", "lost"), 2),
        (("list", "--payer", "no payer"), 2),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said(live: Authmatch, words: tuple[str, ...], code: int) -> None:
    """Bad input is exit code 2, an unknown letter among several 1."""
    assert live("deadletters", *words).exit_code == code


def test_the_doctor_tells_of_both(live: Authmatch, ground: Ground, payer: str) -> None:
    """What is open, and what waits."""

    def found() -> dict[str, dict[str, str]]:
        result = live("doctor", "--json")
        return {each["what"]: each for each in json.loads(result.stdout)}

    async def put(stores: Stores) -> None:
        await stores.outbox.put_withdrawal(payer, "A1", 2)

    before = found()
    keep(ground, payer, b"1", b"2")
    ground.run(put)
    after = found()

    assert (before["dead letters"]["level"], before["outbox"]["level"]) == ("green", "green")
    assert (after["dead letters"]["level"], after["outbox"]["level"]) == ("yellow", "yellow")
    assert after["dead letters"]["found"] == "2 open"
    assert after["outbox"]["found"] == "1 waits"
