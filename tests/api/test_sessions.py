"""Sessions of browsers: known by a cookie, used by our pages alone, and ended everywhere."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.access import sessions as values
from service.access.keys import ApiKey, at_after, new_id, new_secret
from service.application import keys
from service.application.parts import Stores, application, local_caller
from service.application.sessions import ticket_of_key, ticket_of_machine
from service.settings import Settings
from tests.access.issuer import PAYER, SmallIssuer
from tests.api.bodies import authorization_body
from tests.api.browsers import ROLES, cookie_of, signed_in, signing_in
from tests.ground import Ground
from tests.proxy import Proxy
from tests.serving import client_of, serving

PATH = "/authorizations"
ONE = f"{PATH}/A1"
PATIENCE_S = 30


@pytest.fixture(scope="module")
def issuer() -> Iterator[SmallIssuer]:
    """The issuer of this module: its user works for two payers."""
    small = SmallIssuer()
    small.user["payer"] = ["acme", "other"]
    yield small
    small.stop()


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of roles."""
    file = tmp_path_factory.mktemp("roles") / "roles.yaml"
    file.write_text(ROLES)
    return file


@pytest.fixture(scope="module")
def address(ground: Ground, issuer: SmallIssuer, roles: Path) -> Iterator[str]:
    """A service to which one signs in."""
    with signing_in(ground.settings, issuer, roles_file=roles) as url:
        yield url


@pytest.fixture
def browser(address: str) -> Iterator[httpx.Client]:
    """Somebody who has signed in and chose the first of his payers, with a page of ours."""
    with signed_in(address) as one:
        assert one.post("/session/payer", json={"payer": PAYER}).status_code == 204
        yield one


def put(browser: httpx.Client, **headers: str) -> int:
    """The status of something that is changed."""
    version = time.time_ns() % 10**9
    return browser.put(ONE, json=authorization_body(version=version), headers=headers).status_code


def test_a_payer_is_named_or_remembered(address: str) -> None:
    """By each request, else by the session; without either nobody knows for whom it is."""
    with signed_in(address) as one:
        assert (one.get("/session").json()["payer"], one.get(PATH).status_code) == (None, 403)
        assert one.get(PATH, headers={"x-payer": "P2"}).status_code == 200
        for wrong in ({"payer": "P3"}, {"payer": ""}, {}):
            assert one.post("/session/payer", json=wrong).status_code == 403
        for text in (b"[]", b"{", b'{"payer": 7}', b"7"):
            assert one.post("/session/payer", content=text).status_code == 400
        assert one.post("/session/payer", content=b"x" * 5000).status_code == 413
        assert one.post("/session/payer", json={"payer": "P2"}).status_code == 204
        assert (one.get("/session").json()["payer"], one.get(PATH).status_code) == ("P2", 200)
        assert one.get(PATH, headers={"x-payer": "P3"}).status_code == 403


def test_a_page_says_who_is_signed_in(address: str) -> None:
    """Plainly, with buttons that work without scripts; what a name is made of is not run."""
    html = {"accept": "text/html"}
    with client_of(address) as nobody:
        page = nobody.get("/session", headers=html)
        assert (page.status_code, "/session/sign-in" in page.text) == (401, True)
    with signed_in(address) as one:
        token = one.headers.pop("x-csrf-token")
        page = one.get("/session", headers=html)
        assert ("jo" in page.text, token in page.text) == (True, True)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin", "or forms come from null"
        form = {"csrf_token": token, "payer": "P2"}
        assert one.post("/session/payer", data=form).headers["location"] == "/session"
        assert one.post("/session/sign-out", data={"csrf_token": "x"}).status_code == 403
        assert one.post("/session/sign-out", data=form).status_code == 303
        assert one.get("/session", headers=html).status_code == 401


def test_a_name_is_no_page(ground: Ground, issuer: SmallIssuer, roles: Path) -> None:
    """Whatever the issuer calls somebody."""
    issuer.user["sub"] = "<script>alert(1)</script>"
    try:
        with signing_in(ground.settings, issuer, roles_file=roles) as url, signed_in(url) as one:
            page = one.get("/session", headers={"accept": "text/html"}).text
    finally:
        issuer.user["sub"] = "jo"
    assert ("<script>" in page, "&lt;script&gt;" in page) == (False, True)


FORGED: dict[str, tuple[dict[str, str], int]] = {
    "ours": ({}, 200),
    "ours, said by the browser": ({"origin": "OWN", "sec-fetch-site": "same-origin"}, 200),
    "no token": ({"x-csrf-token": ""}, 403),
    "other token": ({"x-csrf-token": "0" * 64}, 403),
    "token of another session": ({"x-csrf-token": "THEIRS"}, 403),
    "the id itself": ({"x-csrf-token": "ID"}, 403),
    "foreign letters": ({"x-csrf-token": "\xe9"}, 403),
    "long token": ({"x-csrf-token": "x" * 5000}, 403),
    "other site": ({"origin": "https://evil.example"}, 403),
    "other port": ({"origin": "http://127.0.0.1:1"}, 403),
    "other scheme": ({"origin": "TLS"}, 403),
    "other name of the host": ({"origin": "LOCALHOST"}, 403),
    "no site": ({"origin": "null"}, 403),
    "empty site": ({"origin": ""}, 403),
    "cross-site": ({"sec-fetch-site": "cross-site"}, 403),
    "same site, other host": ({"sec-fetch-site": "same-site"}, 403),
}


@pytest.mark.parametrize("name", FORGED)
def test_only_pages_of_ours_change_anything(address: str, browser: httpx.Client, name: str) -> None:
    """With a token of this very session, from this very origin; signing out included."""
    headers, status = FORGED[name]
    with signed_in(address) as other:
        theirs = other.headers["x-csrf-token"]
    known = {
        "OWN": address,
        "THEIRS": theirs,
        "ID": cookie_of(browser)[1],
        "TLS": address.replace("http:", "https:"),
        "LOCALHOST": address.replace("127.0.0.1", "localhost"),
    }
    sent = [
        (each.encode(), known.get(value, value).encode("latin-1"))
        for each, value in headers.items()
    ]
    kept = [(key, value) for key, value in browser.headers.raw if key.lower() not in dict(sent)]
    browser.headers = httpx.Headers([*kept, *sent])

    assert put(browser) in ((200, 201) if status == 200 else (403,))
    assert browser.get(PATH).status_code == 200
    ended = browser.post("/session/sign-out").status_code
    assert ended == (204 if status == 200 else 403)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_every_way_to_change_something_needs_the_token(browser: httpx.Client, method: str) -> None:
    """Wherever it goes."""
    del browser.headers["x-csrf-token"]
    path = {"POST": "/match", "PATCH": ONE}.get(method, ONE)
    answer = browser.request(method, path, content=b"{}")

    assert answer.status_code == (405 if method == "PATCH" else 403)


Spoil = Callable[[str], list[str]]
COOKIES: dict[str, Spoil] = {
    "good": lambda value: [value],
    "one letter": lambda value: [("A" if value[0] != "A" else "B") + value[1:]],
    "cut": lambda value: [value[:-1]],
    "longer": lambda value: [f"{value}A"],
    "empty": lambda _: [""],
    "random": lambda _: [values.new_id()],
    "twice": lambda value: [value, value],
    "two": lambda value: [values.new_id(), value],
    "quoted": lambda value: [f'"{value}"'],
    "huge": lambda value: ["x" * 7000],
    "with huge others": lambda value: [f"{value}; a={'x' * 9000}"],
    "path": lambda _: ["../../../etc/passwd"],
    "a pattern": lambda _: ["*" * 43],
    "null": lambda value: [f"{value}%00"],
    "foreign letters": lambda _: ["\xe9" * 43],
}


@pytest.mark.parametrize("name", COOKIES)
def test_no_other_cookie_is_a_session(browser: httpx.Client, address: str, name: str) -> None:
    """Changed, cut, doubled, or of nobody: 401, and nothing of the session."""
    key, value = cookie_of(browser)
    text = "; ".join(f"{key}={each}" for each in COOKIES[name](value))
    with client_of(address) as other:
        answer = other.get(
            PATH, headers=[(b"cookie", text.encode("latin-1")), (b"x-payer", PAYER.encode())]
        )
    assert answer.status_code == (200 if name == "good" else 401)
    assert value not in answer.text
    assert name == "good" or answer.json()["detail"]


def test_a_key_goes_before_a_session(address: str, browser: httpx.Client) -> None:
    """One that is sent is meant, and is not replaced by a cookie where it is bad."""
    assert browser.get(PATH, headers={"x-api-key": "bad"}).status_code == 401
    assert browser.get("/session", headers={"x-api-key": "bad"}).status_code == 401
    key, value = cookie_of(browser)
    with client_of(address) as other:
        for header in ("x-api-key", "authorization"):
            sent = {header: f"Bearer {value}" if header == "authorization" else value}
            assert other.get(PATH, headers=sent).status_code == 401
        assert other.get(f"{PATH}?{key}={value}").status_code == 401


def scopes_of(browser: httpx.Client) -> list[str]:
    """What one may do now; nothing without a session."""
    answer = browser.get("/session")
    return list(answer.json()["scopes"]) if answer.status_code == 200 else []


def test_another_worker_knows_a_session_and_its_end(
    ground: Ground, issuer: SmallIssuer, roles: Path, address: str
) -> None:
    """Also one that starts later; what a role gives is what it gives there, then."""
    port = int(address.rpartition(":")[2])
    few = roles.with_name("few.yaml")
    few.write_text("reader: [clinical.authorization.read]\n")
    with signed_in(address) as one:
        name, value = cookie_of(one)
        for file, scopes in ((roles, 3), (few, 0)):
            with signing_in(ground.settings, issuer, roles_file=file) as url, client_of(url) as two:
                two.cookies.set(f"authmatch-{url.rpartition(':')[2]}", value)
                assert len(scopes_of(two)) == scopes
        with signing_in(ground.settings, issuer, roles_file=roles) as url, client_of(url) as two:
            two.cookies.set(f"authmatch-{url.rpartition(':')[2]}", value)
            assert one.post("/session/sign-out").status_code == 204
            assert (scopes_of(two), scopes_of(one)) == ([], [])
    assert name == f"authmatch-{port}"


def test_all_sessions_of_somebody_are_ended(ground: Ground, address: str) -> None:
    """Those of one user, in every worker; nobody else's."""
    with signed_in(address) as one, signed_in(address) as two:
        assert scopes_of(one) == scopes_of(two) != []

        async def ended(stores: Stores) -> list[int]:
            return [await stores.sessions.end_all(user) for user in ("somebody", "jo", "jo")]

        counts = ground.run(ended)
        assert (counts[0], counts[2], scopes_of(one), scopes_of(two)) == (0, 0, [], [])
        assert counts[1] >= 2


@pytest.fixture
def local(ground: Ground) -> Iterator[tuple[str, Settings]]:
    """A service of this machine alone, without an issuer."""
    settings = ground.settings.model_copy(update={"open_profile": False})
    with serving(settings) as url:
        yield url, settings


def ticket(settings: Settings) -> str:
    """What a link of this machine has."""

    async def made() -> str:
        async with application(settings) as parts:
            return await ticket_of_machine(parts, "P1")

    return asyncio.run(made())


def test_a_link_opens_a_session_once(local: tuple[str, Settings]) -> None:
    """With every scope, as commands have; the second time it opens nothing."""
    url, settings = local
    link = f"/session/open?ticket={ticket(settings)}"
    with client_of(url) as one, client_of(url) as two:
        assert one.get(link).headers["location"] == "/session"
        one.headers["x-csrf-token"] = one.get("/session").json()["csrf_token"]
        assert (two.get(link).status_code, scopes_of(two)) == (401, [])
        assert put(one) in (200, 201)
        newest = one.get(ONE).status_code
    assert newest == 200


def test_an_open_service_looks_at_no_session(ground: Ground) -> None:
    """Whoever reaches it is the user of the machine; a cookie that is over keeps nobody out."""
    with serving(ground.settings) as url, client_of(url) as one:
        for value in (values.new_id(), "x"):
            one.cookies.set(f"authmatch-{url.rpartition(':')[2]}", value)
            who = one.get("/session").json()
            assert (who["kind"], who["csrf_token"], one.get(PATH).status_code) == (
                "local",
                None,
                200,
            )
            one.cookies.clear()
        other = one.get("/session", headers={"origin": "https://evil.example"})
        assert other.status_code == 401


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"host": "evil.example"}, "GOOD", 404),
        ({"host": "127.0.0.1.evil.example"}, "GOOD", 404),
        ({}, "", 401),
        ({}, "ticket=", 401),
        ({}, "ticket=x", 401),
        ({}, f"ticket={'x' * 43}", 401),
        ({}, f"ticket={'x' * 9000}", 401),
        ({}, f"ticket={'%00' * 43}", 401),
    ],
)
def test_no_other_link_opens_one(
    local: tuple[str, Settings], headers: dict[str, str], query: str, status: int
) -> None:
    """Nor one that is opened under another name of this machine."""
    url, settings = local
    query = f"ticket={ticket(settings)}" if query == "GOOD" else query
    with client_of(url) as one:
        answer = one.get(f"/session/open?{query}", headers=headers)
    assert (answer.status_code, "set-cookie" in answer.headers) == (status, False)


def test_a_session_of_a_key_ends_with_it(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Revoked, it gives nothing to any of its sessions, within seconds."""
    monkeypatch.setattr("service.access.keys.LOOK_S", 0.05)
    settings = ground.settings.model_copy(update={"open_profile": False})
    text, secret = new_secret(key_id := new_id())
    key = ApiKey(
        id=key_id,
        name="desk",
        payers=("P1",),
        role=None,
        scopes=("clinical.authorization.read",),
        secrets=(secret,),
        made_at=secret.made_at,
        made_by="local:jo",
        expires_at=at_after(hours=1),
    )

    async def made() -> str:
        async with application(settings) as parts:
            assert await parts.stores.keys.write(key)
            return await ticket_of_key(parts, "desk", bytes.fromhex(secret.hash))

    async def taken() -> None:
        async with application(settings) as parts:
            await keys.revoke(local_caller(parts, "P1"), key.id)

    link = asyncio.run(made())
    with serving(settings) as url, client_of(url) as one:
        assert one.get(f"/session/open?ticket={link}").status_code == 303
        who = one.get("/session").json()
        assert (who["name"], who["scopes"]) == (key.title, list(key.scopes))
        asyncio.run(taken())
        deadline = time.monotonic() + PATIENCE_S
        while scopes_of(one):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert one.get(PATH).status_code == 401
    assert text


def test_without_redis_nobody_is_sent_away(ground: Ground) -> None:
    """A session is not over because Redis is away: 503, and it goes on after."""
    proxy = Proxy(ground.settings.redis_url or "")
    proxy.start()
    changes: dict[str, Any] = {"open_profile": False, "redis_url": proxy.url}
    settings = ground.settings.model_copy(update=changes)
    try:
        with serving(settings) as url, client_of(url) as one:
            one.get(f"/session/open?ticket={ticket(ground.settings)}")
            with proxy.failing("refuse"):
                assert one.get("/session").status_code == 503
            deadline = time.monotonic() + PATIENCE_S
            while (answer := one.get("/session")).status_code == 503:
                assert time.monotonic() < deadline
            assert answer.status_code == 200
    finally:
        proxy.stop()
