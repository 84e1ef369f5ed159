"""`authmatch keys`: made, listed, rotated and revoked by the command; the secret is said once."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Authmatch


def as_json(live: Authmatch, *words: str) -> Any:
    """What a command answers."""
    done = live("keys", *words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_key_is_printed_once(live: Authmatch, payer: str) -> None:
    """Alone on stdout, so that it can be put where it belongs; who made it is the user."""
    made = live("keys", "make", "desk", "--payer", payer, "--role", "examiner", "--days", "7")
    assert made.exit_code == 0
    text = made.stdout.strip()
    key_id = text.split("_")[1]
    assert text.startswith("am_")
    listed = next(each for each in as_json(live, "list") if each["id"] == key_id)
    assert (listed["name"], listed["payers"], listed["state"]) == ("desk", [payer], "valid")
    assert listed["made_by"].startswith("local:")
    rotated = as_json(live, "rotate", key_id, "--grace-hours", "1")
    assert rotated["previous_ends_at"] is not None
    assert live("keys", "revoke", key_id).stdout == f"{key_id} (desk): revoked\n"
    shown = live("keys", "list").stdout + live("keys", "list", "--json").stdout
    assert text not in shown
    assert rotated["key"] not in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("make", "desk"), "a key needs a role, or scopes"),
        (("make", "desk", "--role", "no-such"), "there is no such role"),
        (("make", "desk", "--scope", "no-such"), "there is no scope no-such"),
        (("make", "a/b", "--role", "examiner"), "/name"),
        (("make", "desk", "--payer", "a b", "--role", "examiner"), "/payers/0"),
        (("rotate", "0123456789abcdef"), "there is no such key"),
        (("revoke", "x"), "there is no such key"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    live: Authmatch, words: tuple[str, ...], said: str
) -> None:
    """With exit code 2."""
    refused = live("keys", *words)

    assert refused.exit_code == 2
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_doctor_shows_keys_that_expire_and_an_open_profile(
    live: Authmatch, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And keys of the settings that may do everything; none of it stops anybody."""
    soon = as_json(live, "make", "soon", "--payer", payer, "--role", "auditor", "--days", "3")
    later = as_json(live, "make", "later", "--payer", payer, "--role", "auditor")

    def found() -> dict[str, Any]:
        looked = json.loads(live("doctor", "--json").stdout)
        return {each["what"]: each for each in looked}

    closed = found()
    assert (closed["profile"]["level"], closed["keys of the settings"]["level"]) == ("green",) * 2
    assert soon["id"] in closed["API keys"]["found"]
    assert later["id"] not in closed["API keys"]["found"]
    monkeypatch.setenv("AUTHMATCH_OPEN_PROFILE", "true")
    assert found()["profile"]["level"] == "yellow"
    monkeypatch.setenv("AUTHMATCH_API_KEYS", '{"a-key": "P1"}')
    given = found()
    assert (given["profile"]["level"], given["keys of the settings"]["level"]) == (
        "green",
        "yellow",
    )
    as_json(live, "revoke", soon["id"])
    assert soon["id"] not in found()["API keys"]["found"]
