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

    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert second.pop("dead_letter")
    assert [first, second] == [
        {
            "file": "stdin",
            "line": 1,
            "authorization_id": "UM-55012",
            "version": 3,
            "status": "created",
            "current_version": 3,
            "reason": None,
            "errors": [],
            "start": 0,
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
            "start": len(EXAMPLE_LINES[0].encode()) + 1,
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


def test_a_load_goes_on_from_a_byte(live: Authmatch, tmp_path: Path) -> None:
    """The lines keep their numbers, and nothing before it is read again."""
    file = tmp_path / "some.ndjson"
    lines = [paper(0), "{", paper(1), "{", paper(2)]
    file.write_text("\n".join(lines), encoding="utf-8")
    offset = sum(len(line.encode()) + 1 for line in lines[:2])

    result = live("load", file, "--offset", offset)

    assert summary(result.stdout) == {"created": 2, "rejected": 1}
    assert result.stderr.startswith(f"{file}:4: rejected: not JSON")
    behind = live("load", file, "--offset", 10_000_000)
    assert (behind.exit_code, behind.stdout) == (2, "")
    assert "there is no byte 10000000 to go on from" in behind.stderr


def test_a_large_file_is_shared_by_processes(
    live: Authmatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told of it is the same as by one."""
    monkeypatch.setattr("service.cli.loading.SHARE_BYTES", 100)
    file = tmp_path / "some.ndjson"
    file.write_text("\n".join([paper(0), "{", paper(1), paper(2)]), encoding="utf-8")

    shared = live("load", file, "--workers", 2)
    again = live("load", file, "--workers", 2, "--json")

    assert summary(shared.stdout) == {"created": 3, "rejected": 1}
    assert shared.stderr.startswith(f"{file}:2: rejected: not JSON")
    told = [json.loads(line) for line in again.stdout.splitlines()]
    assert [each["status"] for each in told] == ["unchanged", "rejected", "unchanged", "unchanged"]
    assert [each["line"] for each in told] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.ndjson", b"", "there is nothing in it"),
        ("a.xml", b"<a/>", "rejected: XML is not read here"),
        ("a.zip", b"PK\x03\x04", "rejected: compressed is not read here"),
        ("a.x12", b"hello", "rejected: there is no ISA segment: this is not X12"),
        ("claim.json", b'{"resourceType": "Claim", "use": "claim"}', "rejected: /use: a claim is"),
    ],
)
def test_what_is_no_authorization_is_said(
    live: Authmatch, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    """Whatever it is."""
    file = tmp_path / name
    file.write_bytes(content)

    result = live("load", file)

    assert said in result.stderr
    assert result.exit_code == (0 if not content else 1)
    assert summary(result.stdout)["created"] == 0


def test_other_formats_are_read_too(live: Authmatch) -> None:
    """Told by their first bytes; a claim of an 837 then matches both."""
    loaded = live("load", EXAMPLES / "authorization.278.x12", EXAMPLES / "authorization.fhir.json")
    answer = live("match", EXAMPLES / "claim.837", "--json")

    assert summary(loaded.stdout) == {"created": 2}
    lines = json.loads(answer.stdout)["answer"]["lines"]
    scan = "authorization.RAD5521.87e2996ba99a8072"
    assert [each["results"][0]["chosen"] for each in lines] == [
        [scan],
        ["authorization.PT9004.0d72db3e3ce30911"],
    ]
    assert f"exact  chosen: {scan}" in live("match", EXAMPLES / "claim.837").stdout


def test_x12_is_acknowledged_in_a_file(live: Authmatch, tmp_path: Path) -> None:
    """A 999 and the TA1 that was asked for."""
    file = tmp_path / "acknowledgement.x12"

    result = live("load", EXAMPLES / "authorization.278.x12", "--acknowledge", file)

    told = file.read_text(encoding="ascii")
    assert result.exit_code == 0
    assert "TA1*000000301*260407*1015*A*000~" in told
    assert "AK9*A*1*1*1~" in told


def test_what_was_broken_is_tried_again_and_taken(live: Authmatch, tmp_path: Path) -> None:
    """Kept as it came, in every format; corrected it goes in."""
    review = (EXAMPLES / "authorization.278.x12").read_text(encoding="ascii")
    files = {
        "a.ndjson": (paper(0, kind="wish"), paper(0)),
        "a.x12": (review.replace("HCR*A1*RAD-5521~\n", ""), review),
    }
    for name, (broken, _) in files.items():
        (tmp_path / name).write_text(broken, encoding="utf-8")
    assert live("load", *(tmp_path / name for name in files)).exit_code == 1

    listed = live("deadletters", "list", "--json").stdout
    letters = [json.loads(line) for line in listed.splitlines()]
    assert {each["format"] for each in letters} == {"json", "x12"}
    for each in letters:
        shown = json.loads(live("deadletters", "show", each["id"], "--json").stdout)
        assert shown["is_whole"]
        again = live("deadletters", "retry", each["id"])
        assert again.exit_code == 1
        name = "a.ndjson" if each["format"] == "json" else "a.x12"
        right = tmp_path / f"right-{name}"
        right.write_text(files[name][1], encoding="utf-8")
        assert live("deadletters", "retry", each["id"], "--with", right).exit_code == 0
    assert live("deadletters", "list", "--json").stdout == ""
