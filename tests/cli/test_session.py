"""`authmatch session`: a link that opens a session on this machine, and the end of sessions."""

import getpass
import json

import pytest

from service.access.sessions import Session, Sessions
from service.application.parts import Stores
from tests.cli.conftest import Authmatch
from tests.ground import Ground


def test_a_link_is_that_of_the_user(live: Authmatch, ground: Ground, payer: str) -> None:
    """For the port and the payer that are named; alone on stdout."""
    link = live("session", "link", "--port", "9999", "--payer", payer).stdout.strip()
    address, _, ticket = link.removesuffix("&next=/workbench").partition("?ticket=")
    assert address == "http://127.0.0.1:9999/session/open"

    async def scenario(stores: Stores) -> Session | None:
        of = Sessions(stores.sessions, secret=b"", idle_s=60, whole_s=60)
        return await of.by_ticket(ticket)

    session = ground.run(scenario)
    assert session is not None
    assert (session.name, session.payers) == (getpass.getuser(), (payer,))
    assert json.loads(live("session", "link", "--json").stdout)["link"] != link


def test_all_sessions_of_somebody_end(live: Authmatch, ground: Ground, payer: str) -> None:
    """By the name that records have, with its kind or without."""

    async def scenario(stores: Stores) -> None:
        of = Sessions(stores.sessions, secret=b"", idle_s=60, whole_s=60)
        for _ in range(3):
            await of.open(Session(name=payer))

    for name in (payer, f"session:{payer}"):
        ground.run(scenario)
        assert live("session", "end", name).stdout == "3 ended\n"
        assert json.loads(live("session", "end", name, "--json").stdout) == {"ended": 0}


def test_where_one_signs_in_there_are_no_links(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, in one line."""
    monkeypatch.setenv("AUTHMATCH_PUBLIC_URL", "https://auth.example")
    refused = live("session", "link")
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTHMATCH_PUBLIC_URL", "http://auth.example"),
        ("AUTHMATCH_PUBLIC_URL", "https://auth.example/"),
        ("AUTHMATCH_PUBLIC_URL", "https://a@auth.example"),
        ("AUTHMATCH_PUBLIC_URL", "auth.example"),
        ("AUTHMATCH_SIGNIN_TOKEN_URL", "http://issuer.example/token"),
        ("AUTHMATCH_SIGNIN_AUTHORIZATION_URL", "file:///etc/passwd"),
        ("AUTHMATCH_SIGNIN_CLIENT_ID", "the-audience"),
        ("AUTHMATCH_SESSION_HOURS", "0"),
        ("AUTHMATCH_SESSION_HOURS", "1000"),
        ("AUTHMATCH_SESSION_IDLE_MINUTES", "never"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Before anything is opened."""
    monkeypatch.setenv("AUTHMATCH_TOKEN_AUDIENCE", "the-audience")
    monkeypatch.setenv(name, value)
    refused = live("session", "link")
    assert refused.exit_code == 2
    assert name in refused.stderr


@pytest.mark.parametrize(
    ("settings", "what", "level", "said"),
    [
        ({}, "sign-in", "green", "links of this machine"),
        ({}, "sessions", "green", "30 minutes unused, 8 hours in all"),
        ({"SIGNIN_CLIENT_ID": "x"}, "sign-in", "yellow", "AUTHMATCH_PUBLIC_URL"),
        ({"SIGNIN_CLIENT_ID": "x"}, "sign-in", "yellow", "AUTHMATCH_SIGNIN_TOKEN_URL"),
        ({"SESSION_HOURS": "100"}, "sessions", "yellow", "100 hours"),
        ({"SESSION_IDLE_MINUTES": "600"}, "sessions", "yellow", "600 minutes"),
    ],
)
def test_doctor_shows_what_is_weak(
    live: Authmatch,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    what: str,
    level: str,
    said: str,
) -> None:
    """A sign-in that is half set, and sessions that last long."""
    for name, value in settings.items():
        monkeypatch.setenv(f"AUTHMATCH_{name}", value)
    found = {each["what"]: each for each in json.loads(live("doctor", "--json").stdout)}
    assert found[what]["level"] == level
    assert said in found[what]["found"]
