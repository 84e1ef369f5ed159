"""How somebody is told: each way says what it must and no more, and is refused where it must be."""

import hashlib
import hmac
import json
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from service.domain.alert import Alert, alert_id
from service.domain.alert_choice import AlertChoice
from service.notices._mail import MailServer
from service.notices._webhook import Webhooks, _is_public
from service.notices.calendar import calendar_of
from service.notices.notice import Notice, NotTold
from service.notices.post import post_of
from service.settings import Settings
from tests.notices.conftest import Ear, Mailbox

USED = Alert(
    alert_id=alert_id("used", "UM-77", "H", 20),
    kind="used",
    authorization_id="UM-77",
    member_id="M0777",
    unit="VS",
    granted="20",
    committed="17",
    left="3",
    since="2026-06-01T09:00:00.000+00:00",
)
ENDING = replace(USED, alert_id=alert_id("ending", "UM-77"), kind="ending", day="2026-06-30")
NOTICE = Notice(
    notice_id="abc123", payer="demo", alerts=[USED, ENDING, ENDING], page="https://auth.example/a"
)
SECRET = b"of the receiver"


def hooks(ear: Ear, **changes: Any) -> Webhooks:
    """Webhooks that may go to a listener on this machine."""
    given = {"hosts": frozenset({ear.host}), "secret": SECRET, "is_private": True, **changes}
    return Webhooks(**given)


def test_a_mail_says_how_many_and_of_nobody(mailbox: Mailbox) -> None:
    """Neither an authorization nor a member stands in it; the same notice has the same id."""
    server = MailServer(mailbox.url, "authmatch@payer.example")
    server.send(NOTICE, "lee@payer.example")
    server.send(replace(NOTICE, page=None), "lee@payer.example")

    first, second = (message_from_bytes(each.content) for each in mailbox.mails)
    assert mailbox.mails[0].rcpt_tos == ["lee@payer.example"]
    assert first["Subject"] == "authmatch: 1 mostly used, 2 ends soon"
    assert first["Message-ID"] == second["Message-ID"] == "<abc123@authmatch>"
    text = str(first.get_payload())
    assert "https://auth.example/a" in text
    assert "UM-77" not in mailbox.mails[0].content.decode() + text
    assert "M0777" not in text


@pytest.mark.parametrize(
    ("url", "answer", "to", "is_lasting"),
    [
        (None, "451 busy", "lee@payer.example", False),
        (None, "554 refused", "lee@payer.example", True),
        (None, "", "nobody@payer.example", True),
        ("smtp://127.0.0.1:1", "", "lee@payer.example", False),
        ("smtps://127.0.0.1:1", "", "lee@payer.example", False),
        ("smtp://no-such-host.invalid:25", "", "lee@payer.example", False),
    ],
    ids=["busy", "refused", "no such mailbox", "away", "away with TLS", "unknown"],
)
def test_a_mail_that_is_not_taken(
    mailbox: Mailbox, url: str | None, answer: str, to: str, is_lasting: bool
) -> None:
    """It is said whether that lasts, and nothing of an address or a password."""
    mailbox.answers = [answer] if answer else []
    with pytest.raises(NotTold) as failed:
        MailServer(url or mailbox.url, "authmatch@payer.example").send(NOTICE, to)
    assert failed.value.is_lasting is is_lasting
    assert "@" not in str(failed.value)
    assert mailbox.mails == []


def test_a_password_goes_nowhere_in_clear(mailbox: Mailbox) -> None:
    """A server on this machine that offers no sign-in is not given it."""
    url = mailbox.url.replace("://", "://desk:se%63ret@")
    with pytest.raises(NotTold):
        MailServer(url, "a@b.example").send(NOTICE, "lee@payer.example")
    assert mailbox.mails == []


def test_a_webhook_is_signed(ear: Ear) -> None:
    """Whoever has the secret can tell that it came from here, and when; no member stands in it."""
    hooks(ear).send(NOTICE, ear.url)

    ((path, headers, body),) = ear.heard
    at, signed = (part.partition("=")[2] for part in headers["Authmatch-Signature"].split(","))
    assert signed == hmac.digest(SECRET, f"{at}.".encode() + body, hashlib.sha256).hex()
    assert (path, headers["Authmatch-Notice"]) == ("/hook?to=desk", "abc123")
    told = json.loads(body)
    assert [each["authorization_id"] for each in told["alerts"]] == ["UM-77"] * 3
    assert b"M0777" not in body


@pytest.mark.parametrize(("status", "is_lasting"), [(302, False), (500, False), (410, True)])
def test_a_webhook_that_is_not_taken(ear: Ear, status: int, is_lasting: bool) -> None:
    """A redirect is not followed; what will be refused again is said to last."""
    ear.statuses = [status]
    with pytest.raises(NotTold) as failed:
        hooks(ear).send(NOTICE, ear.url)
    assert (failed.value.is_lasting, len(ear.heard)) == (is_lasting, 1)


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        ("http://127.0.0.1:1/", {}),
        ("https://hooks.example/", {}),
        ("HOST", {"is_private": False}),
        ("https://HOST", {"is_private": False}),
        ("http://lee@HOST", {}),
        ("http://HOST#part", {}),
        ("ftp://HOST", {}),
        ("http://[", {}),
        ("http://", {}),
        ("http://127.0.0.1:x/", {}),
    ],
)
def test_a_webhook_goes_to_hosts_of_the_list_alone(
    ear: Ear, url: str, changes: dict[str, Any]
) -> None:
    """Nor to a private address, unless that is configured; nothing is sent."""
    given = ear.url if url == "HOST" else url.replace("HOST", ear.host)
    with pytest.raises(NotTold) as failed:
        hooks(ear, **changes).send(NOTICE, given)
    assert failed.value.is_lasting
    assert ear.heard == []


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1:1"])
def test_a_webhook_that_cannot_be_reached_is_tried_again(ear: Ear, host: str) -> None:
    """It may be there later."""
    with pytest.raises(NotTold) as failed:
        hooks(ear, hosts=frozenset({host})).send(NOTICE, f"http://{host}/")
    assert not failed.value.is_lasting


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.1.2.3", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_addresses_that_are_private(address: str, is_public: bool) -> None:
    """However they are written."""
    assert _is_public(address) is is_public


def test_a_calendar_has_days_and_times_of_nobody() -> None:
    """Each alert is an event under its own id, so that a calendar that asks again has it once."""
    due = replace(USED, kind="decision-due", due="2026-06-06T00:00:00-04:00", day="2026-06-06")
    text = calendar_of([USED, ENDING, due], "https://auth.example/a").decode()
    lines = text.split("\r\n")

    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 3
    starts = [each for each in lines if each.startswith("DTSTART")]
    assert starts == [
        "DTSTART;VALUE=DATE:20260601",
        "DTSTART;VALUE=DATE:20260630",
        "DTSTART:20260606T040000Z",
    ]
    assert f"UID:{ENDING.alert_id}@authmatch" in lines
    assert max(map(len, lines)) <= 75
    assert "UM-77" not in text
    assert "M0777" not in text
    assert "URL" not in calendar_of([USED], None).decode()


def test_ways_are_those_that_are_configured() -> None:
    """One of which something is missing is none; a choice of it is refused with the reason."""
    hosts = ["hooks.example"]
    mail = Settings(alerts_smtp_url=SecretStr("smtp://mail:25"), alerts_mail_from="a@b.example")
    hook = Settings(alerts_webhook_hosts=hosts, alerts_webhook_secret=SecretStr("x"))
    none = Settings(alerts_webhook_hosts=hosts, alerts_smtp_url=SecretStr(""))

    ways = [sorted(post_of(each).ways) for each in (mail, hook, none)]
    assert ways == [
        ["email"],
        ["webhook"],
        [],
    ]
    assert post_of(mail).problem_of("email", "lee@payer.example") is None
    assert "not configured" in str(post_of(mail).problem_of("webhook", "https://hooks.example/"))
    assert post_of(hook).problem_of("webhook", "https://hooks.example/x") is None
    assert "host" in str(post_of(hook).problem_of("webhook", "https://other.example/x"))
    with pytest.raises(ValidationError):
        Settings(alerts_smtp_url=SecretStr("http://mail"))


@pytest.mark.parametrize(
    "wrong",
    ["lee", "lee@", "@payer.example", "lee@payer.example\nBcc: all@x.example", "a b@c.example",
     "Lee <lee@payer.example>", "lee@payer.example,kim@payer.example", f"{'a' * 300}@x.example"],
)  # fmt: skip
def test_what_is_no_address_of_one_person_is_refused(wrong: str) -> None:
    """No second address, no header, no name."""
    with pytest.raises(ValidationError):
        AlertChoice(email=wrong)
