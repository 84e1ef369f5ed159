"""`authmatch request`: from a file to the payer's answer, in the words of the command line."""

import json

import pytest

from authmatch_local.partner import Partner, serving
from tests.cli.conftest import EXAMPLES, Authmatch

FILE = EXAMPLES / "request.json"


def test_a_request_is_sent_followed_and_renewed(
    live: Authmatch, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a service beside it, for the command tries at once."""
    partner = Partner(decision="pended")
    with serving(partner) as address:
        told = {payer: {"url": address, "receiver": "PAYER", "payer_id": "EP100"}}
        monkeypatch.setenv("AUTHMATCH_TRADING_PARTNERS", json.dumps(told))
        drafted = live("request", "new", FILE)
        assert (drafted.exit_code, "DRAFT" in drafted.stdout) == (0, True)
        sent = live("request", "send", "R-2026-0001")
        assert "PENDED" in sent.stdout, sent.stderr
        assert "the payer asks for (LOINC): 18842-5" in sent.stderr
        partner.decision = "approved"
        known = live("request", "status", "R-2026-0001", "--inquire", "--json")
        answer = json.loads(known.stdout)
        assert answer["status"] == "APPROVED"
        assert f"charge CH-2026-17: attach {answer['authorization_id']}" in known.stderr
        renewed = live("request", "renew", "R-2026-0001", "--id", "R-2", "--send", "--json")
        assert json.loads(renewed.stdout)["request"]["previous_number"] == answer["number"]
        listed = json.loads(live("request", "status", "--only", "approved", "--json").stdout)
        assert sorted(each["request"]["request_id"] for each in listed) == ["R-2", "R-2026-0001"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("status", "no-such"), "there is no such request"),
        (("new", EXAMPLES / "units-exact.json"), "request_id"),
        (("status", "--inquire"), "--inquire: of which request?"),
        (("status", "--only", "x"), "--only: one of"),
        (("renew", "R", "--id", "R-2", "--as", "X"), "--as: one of"),
        (("renew", "R", "--id", "R-2", "--changes", "{"), "--changes: not JSON"),
        (("renew", "R", "--id", "R-2"), "there is no such authorization"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    live: Authmatch, words: tuple[object, ...], reason: str
) -> None:
    """With exit code 2, whatever it was."""
    result = live("request", *words)
    assert (result.exit_code, reason in result.stderr) == (2, True), result.stderr


def test_without_a_partner_nothing_is_sent(live: Authmatch) -> None:
    """It says what is missing, and the request stays a draft."""
    assert live("request", "new", FILE).exit_code == 0
    result = live("request", "send", "R-2026-0001")
    assert (result.exit_code, "no trading partner" in result.stderr) == (2, True)
    assert "DRAFT" in live("request", "status", "R-2026-0001").stdout
