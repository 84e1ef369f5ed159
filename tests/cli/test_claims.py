"""`authmatch claims populate`: an 837 and a claim of JSON are given back with their numbers."""

import json
from pathlib import Path

import pytest

from service.domain.claim import Claim
from tests.cli.conftest import EXAMPLES, Authmatch

CLAIM, FILE = EXAMPLES / "claim-professional.json", EXAMPLES / "claim.837"


@pytest.fixture
def billing(with_examples: Authmatch) -> Authmatch:
    """The command, with authorizations of the examples, of JSON and of a 278."""
    assert with_examples("load", EXAMPLES / "authorization.278.x12").exit_code == 0
    return with_examples


def test_an_837_is_written_with_its_numbers(billing: Authmatch, tmp_path: Path) -> None:
    """As it came but for the numbers; why each line has one, or none, is told beside it."""
    bare, populated = tmp_path / "bare.837", tmp_path / "populated.837"
    text = FILE.read_text()
    bare.write_text(text.replace("REF*G1*RAD 5521~\n", "").replace("SE*27*", "SE*26*"))

    result = billing("claims", "populate", bare, "--output", populated)

    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    told = result.stderr.splitlines()
    assert told[0] == (
        "claim CL-2026-402 line 1: REF*G1 RAD-5521 on the claim (CMS-1500 box 23): "
        "the number of the authorization that covers the line"
    )
    assert told[1].startswith("claim CL-2026-402 line 2: none: ")
    head = "CLM*CL-2026-402*1020***11:B:1*Y*A*Y*Y~\n"
    assert populated.read_text() == text.replace("REF*G1*RAD 5521~\n", "").replace(
        head, f"{head}REF*G1*RAD-5521~\n"
    )
    again = billing("claims", "populate", populated, "--json")
    first, file = map(json.loads, again.stdout.splitlines())
    assert first["answer"]["changed"] is False
    assert file == {"x12": populated.read_text()}


def test_a_claim_of_json_is_written_with_its_numbers(billing: Authmatch, tmp_path: Path) -> None:
    """To stdout where no file is named."""
    claim = json.loads(CLAIM.read_text())
    claim.pop("authorization_numbers", None)
    for line in claim["lines"]:
        line.pop("authorization_numbers", None)
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(claim))

    result = billing("claims", "populate", bare, "--responsibility", "P")

    assert result.exit_code == 0, result.stderr
    assert "line 1: REF*G1 AU-00123 on the claim" in result.stderr
    written = json.loads(result.stdout)
    assert written.pop("authorization_numbers") == [{"kind": "authorization", "value": "AU-00123"}]
    assert Claim.model_validate(written) == Claim.model_validate(claim)


def test_what_cannot_be_read_is_told(billing: Authmatch, tmp_path: Path) -> None:
    """It stays in the file as it came, and the exit code says so."""
    broken = tmp_path / "broken.837"
    broken.write_text(FILE.read_text().replace("UN*1*", "UN*x*"))

    result = billing("claims", "populate", broken)

    assert result.exit_code == 1
    assert result.stdout == broken.read_text()
    assert "segment" in result.stderr
    wrong = billing("claims", "populate", CLAIM, "--responsibility", "X")
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)
