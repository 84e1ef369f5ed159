"""`authmatch authorization`: entered by hand with the document; what is wrong is told."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Authmatch
from tests.papers import PDF, PNG

ENTRY = EXAMPLES / "entry.json"


@pytest.fixture
def desk(live: Authmatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authmatch:
    """The command, with a folder for documents."""
    monkeypatch.setenv("AUTHMATCH_DOCUMENTS_DIR", str(tmp_path / "documents"))
    monkeypatch.setenv("AUTHMATCH_DOCUMENT_BYTES_MAX", "2048")
    (tmp_path / "letter.pdf").write_bytes(PDF)
    (tmp_path / "portal.png").write_bytes(PNG)
    (tmp_path / "lies.pdf").write_bytes(b"MZ" * 10)
    (tmp_path / "huge.pdf").write_bytes(PDF + b" " * 4096)
    (tmp_path / "empty.pdf").write_bytes(b"")
    (tmp_path / "wrong.json").write_text(json.dumps({"authorization_id": "A"}))
    (tmp_path / "no.json").write_text("{")
    monkeypatch.chdir(tmp_path)
    return live


def test_an_entry_waits_for_its_letter(desk: Authmatch) -> None:
    """Added later, it counts; with it, it counts at once; another document is kept beside it."""
    waits = desk("authorization", "add", ENTRY)
    added = desk("authorization", "add", "--to", "UM-70001", "--document", "letter.pdf", "--json")
    again = desk("authorization", "add", "--to", "UM-70001", "--document", "portal.png")
    twice = desk("authorization", "add", ENTRY, "--document", "letter.pdf")
    nothing = desk("authorization", "confirm", "UM-70001")

    assert waits.stdout == "UM-70001 version 1 waits for: document\n"
    assert json.loads(added.stdout)["entry"]["status"] == "ENTERED"
    assert (again.exit_code, "added" in again.stdout) == (0, True)
    assert (twice.exit_code, nothing.exit_code) == (2, 2)
    assert "there already" in twice.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["lies.pdf"], "it is none of PDF, JPEG, PNG and TIFF"),
        (["empty.pdf"], "it is empty"),
        (["huge.pdf"], "longer than 2048 bytes"),
        (["gone.pdf"], "cannot be read"),
        (["letter.pdf", "--kind", "song"], "one of letter, fax, portal, other"),
        (["letter.pdf", "--to", "UM-1"], "name a FILE"),
    ],
)
def test_a_document_that_cannot_be_is_told(desk: Authmatch, words: list[str], why: str) -> None:
    """In a line, with exit code 2; nothing is entered."""
    told = desk("authorization", "add", ENTRY, "--document", *words)
    assert (told.exit_code, why in " ".join(told.stderr.split())) == (2, True), told.output
    assert "there is no such" in desk("authorization", "confirm", "UM-70001").stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["wrong.json"], "/authorization/"),
        (["no.json"], "is no JSON"),
        (["gone.json"], "cannot be read"),
        ([], "name a FILE"),
        (["--to", "UM-1"], "--document: it is needed"),
        (["--to", "UM-1", "--document", "letter.pdf"], "there is no such authorization"),
    ],
)
def test_an_entry_that_cannot_be_is_told(desk: Authmatch, words: list[str], why: str) -> None:
    """As well."""
    told = desk("authorization", "add", *words)
    assert (told.exit_code, why in " ".join(told.stderr.split())) == (2, True), told.output
