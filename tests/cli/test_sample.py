"""`authmatch sample`: as NDJSON, the same for the same seed."""

import json
from pathlib import Path

from service.domain.authorization import Authorization
from tests.cli.conftest import Authmatch


def test_authorizations_go_to_stdout(authmatch: Authmatch) -> None:
    """One a line, each of them valid; the same again for the same seed."""
    first = authmatch("sample", "--authorizations", 30, "--seed", 7)
    again = authmatch("sample", "--authorizations", 30, "--seed", 7)
    other = authmatch("sample", "--authorizations", 30, "--seed", 8)

    papers = [json.loads(line) for line in first.stdout.splitlines()]
    assert len({Authorization.model_validate(each).authorization_id for each in papers}) == 30
    assert first.stdout == again.stdout != other.stdout
    assert first.stderr == ""


def test_a_folder_gets_a_file_for_each_kind(authmatch: Authmatch, tmp_path: Path) -> None:
    """What must come out belongs to the lines of the claims."""
    folder = tmp_path / "new"

    result = authmatch("sample", "--authorizations", 100, "--claims", "--expected", "--out", folder)

    written = {
        path.name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in folder.iterdir()
    }
    assert result.exit_code == 0
    assert len(written["authorizations.ndjson"]) == 100
    claims = {claim["claim_id"] for claim in written["claims.ndjson"]}
    assert {each["claim_id"] for each in written["expected.ndjson"]} == claims


def test_stdout_takes_one_kind(authmatch: Authmatch) -> None:
    """Two kinds in one stream could not be told apart."""
    claims = authmatch("sample", "--authorizations", 30, "--claims")
    both = authmatch("sample", "--claims", "--expected")

    assert all("claim_id" in json.loads(line) for line in claims.stdout.splitlines())
    assert both.exit_code == 2
