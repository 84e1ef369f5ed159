"""`authmatch load`: what is taken, what is not and why, and the exit code that says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import EXAMPLES, Authmatch

EXAMPLE_LINES = (EXAMPLES / "authorizations.ndjson").read_text(encoding="utf-8").splitlines()


def paper(place: int, **changes: Any) -> str:
    """Give an example authorization, with changes."""
    return json.dumps(json.loads(EXAMPLE_LINES[place]) | changes)


def summary(stdout: str) -> dict[str, int]:
    """Read the summary."""
    rows = (line.split() for line in stdout.splitlines())
    return {row[0]: int(row[1].replace(",", "")) for row in rows if row}


def test_a_summary_counts_what_became_of_each(live: Authmatch, tmp_path: Path) -> None:
    """New, newer, the same, older, other content, and wrong."""
    file = tmp_path / "some.ndjson"
    lines = [
        paper(0, version=2),
        "",
        paper(0, version=3),
        paper(0, version=3),
        paper(0, version=1),
        paper(0, version=3, number="AU-OTHER"),
        '{"authorization_id": "X"',
        paper(1, kind="wish"),
    ]
    file.write_text("\n".join(lines), encoding="utf-8")

    result = live("load", file)

    assert result.exit_code == 1
    assert summary(result.stdout) == {
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "superseded": 1,
        "conflict": 1,
        "rejected": 2,
    }
    told = result.stderr.splitlines()
    assert told[0] == (
        f"{file}:6: conflict UM-55012: version 3 is already there with other content"
    )
    assert told[1].startswith(f"{file}:7: rejected: not JSON: ")
    assert told[2].startswith(f"{file}:8: rejected UM-60001: /kind: ")


@pytest.mark.parametrize("indent", [None, 1], ids=["one line", "many lines"])
def test_an_array_is_read_like_lines(live: Authmatch, tmp_path: Path, indent: int | None) -> None:
    """A JSON array gives the same results; a line is where a value begins."""
    file = tmp_path / "array.json"
    papers = [json.loads(each) for each in EXAMPLE_LINES[:3]]
    papers[1]["version"] = "x"
    file.write_text(json.dumps(papers, indent=indent), encoding="utf-8")

    result = live("load", file)

    assert summary(result.stdout) == {"created": 2, "rejected": 1}
    starts = file.read_text(encoding="utf-8").splitlines()
    line = 1 if indent is None else [at for at, each in enumerate(starts, 1) if each == " {"][1]
    assert result.stderr.startswith(f"{file}:{line}: rejected UM-60001: /version")


def test_one_object_may_stand_on_many_lines(live: Authmatch, tmp_path: Path) -> None:
    """What an editor shows can be pushed as it is."""
    file = tmp_path / "one.json"
    file.write_text(json.dumps(json.loads(EXAMPLE_LINES[0]), indent=2), encoding="utf-8")

    assert summary(live("load", file).stdout) == {"created": 1}


def test_programs_get_a_line_for_each(live: Authmatch) -> None:
    """From stdin, each result as JSON, with nothing else on stdout."""
    result = live("load", "-", "--json", stdin="\n".join((EXAMPLE_LINES[0], "[]")))

    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {
            "file": "stdin",
            "line": 1,
            "authorization_id": "UM-55012",
            "version": 3,
            "status": "created",
            "current_version": 3,
            "reason": None,
            "errors": [],
        },
        {
            "file": "stdin",
            "line": 2,
            "authorization_id": None,
            "version": None,
            "status": "rejected",
            "current_version": None,
            "reason": "an authorization is a JSON object",
            "errors": [],
        },
    ]


def test_a_payer_can_be_named(live: Authmatch, payer: str) -> None:
    """What is loaded for another payer is not this one's."""
    live("load", EXAMPLES / "authorizations.ndjson", "--payer", f"{payer}-2")

    match = ("match", EXAMPLES / "claim-professional.json", "--json")
    own = json.loads(live(*match).stdout)
    theirs = json.loads(live(*match, "--payer", f"{payer}-2").stdout)

    assert own["lines"][0]["results"][0]["class"] == "none"
    assert theirs["lines"][0]["results"][0]["class"] == "exact"


def test_a_file_that_is_not_there_ends_it_before_anything_is_pushed(live: Authmatch) -> None:
    """All files are looked at first."""
    result = live("load", EXAMPLES / "authorizations.ndjson", "/no/such/file", "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: /no/such/file: No such file or directory\n"


def test_a_payer_that_cannot_be_is_bad_input(live: Authmatch) -> None:
    """It would become part of names in the engines."""
    result = live("load", "-", "--payer", "a b", stdin="")

    assert result.exit_code == 2
    assert "--payer" in result.stderr


def test_an_engine_that_is_down_is_a_fault(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and an exit code of its own."""
    monkeypatch.setenv("AUTHMATCH_ELASTICSEARCH_URL", "http://127.0.0.1:1")

    result = live("load", EXAMPLES / "authorizations.ndjson")

    assert result.exit_code == 3
    assert result.stderr.startswith("error: elasticsearch: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_redis_that_is_down_fails_every_line(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push is acknowledged by both engines or not at all; the same file may be loaded again."""
    monkeypatch.setenv("AUTHMATCH_REDIS_URL", "redis://127.0.0.1:1/0")

    result = live("load", EXAMPLES / "authorizations.ndjson")

    assert result.exit_code == 3
    assert summary(result.stdout) == {"created": 0, "failed": len(EXAMPLE_LINES)}
    assert ":1: failed UM-55012: redis: " in result.stderr
