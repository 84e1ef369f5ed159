"""Browser sign-in at a real issuer: by code, state, nonce and verifier, each of which is needed."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from service.access import sign_in, tokens
from tests.access.issuer import NAME, PAYER, SmallIssuer, claims_of, raw
from tests.api.browsers import CLIENT_ID, ROLES, begun, cookie_of, signed_in, signing_in
from tests.ground import Ground
from tests.serving import client_of

PATH = "/authorizations"
SECRET = "a secret of the tests"  # noqa: S105


@pytest.fixture(scope="module")
def shared() -> Iterator[SmallIssuer]:
    """The issuer of this module."""
    small = SmallIssuer()
    yield small
    small.stop()


@pytest.fixture
def issuer(shared: SmallIssuer) -> SmallIssuer:
    """The same, as it was at first."""
    shared.user = {"sub": "jo", "payer": "acme", "scope": "role:examiner"}
    shared.secret = shared.spoiled = shared.token_answer = shared.answer = None
    return shared


@pytest.fixture(scope="module")
def address(
    ground: Ground, shared: SmallIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A service to which one signs in."""
    file = tmp_path_factory.mktemp("roles") / "roles.yaml"
    file.write_text(ROLES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "AGAIN_S", 0)
        with signing_in(ground.settings, shared, roles_file=file) as url:
            yield url


@pytest.fixture
def browser(address: str, issuer: SmallIssuer) -> Iterator[httpx.Client]:
    """A browser of nobody yet."""
    with client_of(address) as one:
        yield one


def told(answer: httpx.Response) -> int:
    """The status of a refusal that says what to do, and opens no session."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.json()["detail"]
    for name in ("Traceback", "jo", PAYER, "eyJ"):
        assert name not in answer.text
    assert "authmatch-" not in answer.headers.get("set-cookie", "")
    return answer.status_code


def test_who_signed_in_is_known(browser: httpx.Client) -> None:
    """With payers and scopes of the id token, on every page, until he signs out."""
    answer = browser.get(begun(browser, f"{PATH}?size=1"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?size=1")
    session = browser.get("/session").json()

    assert (session["kind"], session["name"]) == ("session", "jo")
    assert (session["payers"], session["payer"]) == ([PAYER], PAYER)
    assert "clinical.authorization.write" in session["scopes"]
    assert browser.get(PATH).status_code == 200
    token = {"x-csrf-token": session["csrf_token"]}
    assert browser.post("/session/sign-out", headers=token).status_code == 204
    assert browser.get(PATH).status_code == 401


def test_what_the_issuer_is_asked(browser: httpx.Client) -> None:
    """A code for this service, with a state, a nonce and a challenge that are new each time."""
    asked = [
        parse_qs(urlsplit(browser.get("/session/sign-in").headers["location"]).query)
        for _ in range(2)
    ]
    for each in asked:
        assert each["redirect_uri"] == [f"{browser.base_url}/session/callback".replace("//s", "/s")]
        assert (each["response_type"], each["client_id"]) == (["code"], [CLIENT_ID])
        assert (each["scope"], each["code_challenge_method"]) == (["openid"], ["S256"])
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[0][name][0]) >= 43
        assert asked[0][name] != asked[1][name]


Change = Callable[[httpx.Client, dict[str, str]], Any]


def changed(**fields: str | None) -> Change:
    """The answer of the issuer with other fields; one that is None is left out."""

    def change(_: httpx.Client, answer: dict[str, str]) -> None:
        answer.update({name: each for name, each in fields.items() if each is not None})
        for name in (name for name, each in fields.items() if each is None):
            answer.pop(name)

    return change


CALLBACKS: dict[str, Change] = {
    "other state": changed(state="x" * 43),
    "no state": changed(state=None),
    "empty state": changed(state=""),
    "foreign letters in the state": changed(state="é☃"),
    "other code": changed(code="x"),
    "no code": changed(code=None),
    "empty code": changed(code=""),
    "long code": changed(code="x" * 5000),
    "refused": changed(error="access_denied"),
    "other issuer": changed(iss="https://evil.example"),
    "another browser": lambda browser, _: browser.cookies.clear(),
    "a later sign-in": lambda browser, _: begun(browser),
    "used before": lambda browser, answer: browser.get(f"/session/callback?{urlencode(answer)}"),
    "a code that was used": lambda browser, answer: answer.update(code=_used(browser)),
    "a code of another sign-in": lambda browser, answer: answer.update(code=_other(browser)),
}


def _used(browser: httpx.Client) -> str:
    """A code that somebody signed in with already."""
    with client_of(str(browser.base_url)) as other:
        back = begun(other)
        assert other.get(back).status_code == 303
    return parse_qs(urlsplit(back).query)["code"][0]


def _other(browser: httpx.Client) -> str:
    """A code that another browser did not take yet: its verifier is missing here."""
    with client_of(str(browser.base_url)) as other:
        return parse_qs(urlsplit(begun(other)).query)["code"][0]


@pytest.mark.parametrize("name", CALLBACKS)
def test_no_other_answer_signs_in(browser: httpx.Client, name: str) -> None:
    """Whatever is wrong with it; what came with its state is over, whether it signed in or not."""
    back = urlsplit(begun(browser))
    answer = {name: value[0] for name, value in parse_qs(back.query).items()}
    CALLBACKS[name](browser, answer)
    browser.cookies = httpx.Cookies(
        {key: each for key, each in browser.cookies.items() if key.endswith("-begun")}
    )
    refused = browser.get("/session/callback", params=answer)

    assert told(refused) == 401
    assert browser.get(PATH).status_code == 401
    if "state" not in name:
        again = {name: value[0] for name, value in parse_qs(back.query).items()}
        assert told(browser.get("/session/callback", params=again)) == 401


KEPT: dict[str, Callable[[list[str]], list[str]]] = {
    "another seed": lambda parts: ["x" * 43, *parts[1:]],
    "a later end": lambda parts: [parts[0], str(int(parts[1]) + 1), *parts[2:]],
    "another place": lambda parts: [*parts[:2], "Ly9ldmlsLmV4YW1wbGU", parts[3]],
    "another seal": lambda parts: [*parts[:3], "0" * 64],
    "no seal": lambda parts: parts[:3],
    "a part more": lambda parts: [*parts[:3], "x", parts[3]],
    "nothing": lambda _: [],
    "dots": lambda _: ["", "", "", ""],
    "foreign letters": lambda parts: [*parts[:3], "\xe9"],
    "long": lambda parts: [*parts[:3], "0" * 6000],
}


@pytest.mark.parametrize("name", KEPT)
def test_what_the_browser_keeps_meanwhile_is_sealed(browser: httpx.Client, name: str) -> None:
    """Nobody has a sign-in end later, or somewhere else."""
    back = begun(browser)
    ((key, value),) = browser.cookies.items()
    spoilt = ".".join(KEPT[name](value.split(".")))
    browser.cookies.clear()
    sent = [(b"cookie", f"{key}={spoilt}".encode("latin-1"))]
    assert told(browser.get(back, headers=sent)) == 401
    good = [(b"cookie", f"{key}={value}".encode())]
    assert browser.get(back, headers=good).status_code == 303


def test_a_sign_in_that_takes_long_is_over(
    browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who only begins leaves nothing behind."""
    monkeypatch.setattr(sign_in, "BEGUN_S", -1)
    assert told(browser.get(begun(browser))) == 401


@pytest.mark.parametrize("query", ["", "?code=x", "?code=1&code=2&state=x", "?state[]=x", "?%ff=1"])
def test_nobody_signs_in_who_did_not_begin(browser: httpx.Client, query: str) -> None:
    """A callback out of the blue."""
    assert told(browser.get(f"/session/callback{query}")) == 401


def spoiled(issuer: SmallIssuer, **changes: Any) -> Callable[[dict[str, Any]], str]:
    """An id token with other claims."""
    return lambda claims: issuer.id_token(claims | changes)


OTHER_KEY = RSAKey.generate_key(2048, {"kid": "rsa-1"})
ID_TOKENS: dict[str, Callable[[SmallIssuer], Callable[[dict[str, Any]], str]]] = {
    "alg none": lambda _: lambda claims: raw({"alg": "none", "kid": "rsa-1"}, claims_of(**claims)),
    "HS256": lambda _: (
        lambda claims: raw({"alg": "HS256", "kid": "rsa-1"}, claims_of(**claims), b"x" * 32)
    ),
    "their key": lambda issuer: lambda claims: issuer.token(OTHER_KEY, **claims),
    "other issuer": lambda issuer: spoiled(issuer, iss="https://evil.example"),
    "audience of access tokens": lambda issuer: spoiled(issuer, aud="authmatch"),
    "other audience": lambda issuer: spoiled(issuer, aud=["x"]),
    "no audience": lambda issuer: spoiled(issuer, aud=None),
    "for another party": lambda issuer: spoiled(issuer, aud=[CLIENT_ID, "x"], azp="x"),
    "other nonce": lambda issuer: spoiled(issuer, nonce="x" * 43),
    "no nonce": lambda issuer: spoiled(issuer, nonce=None),
    "nonce is a number": lambda issuer: spoiled(issuer, nonce=7),
    "foreign letters in the nonce": lambda issuer: spoiled(issuer, nonce="é☃"),
    "expired": lambda issuer: spoiled(issuer, exp=int(time.time()) - 120),
    "not yet valid": lambda issuer: spoiled(issuer, nbf=int(time.time()) + 120),
    "no subject": lambda issuer: spoiled(issuer, sub=None),
    "subject of two lines": lambda issuer: spoiled(issuer, sub="a\nb"),
    "empty": lambda _: lambda _: "",
    "three dots": lambda _: lambda _: "a.b.c",
}


@pytest.mark.parametrize("name", ID_TOKENS)
def test_a_bad_id_token_signs_nobody_in(
    browser: httpx.Client, issuer: SmallIssuer, name: str
) -> None:
    """It is checked as access tokens are, and is for this sign-in alone."""
    issuer.spoiled = ID_TOKENS[name](issuer)
    assert told(browser.get(begun(browser))) == 401
    assert browser.get(PATH).status_code == 401


@pytest.mark.parametrize("payer", [None, "unknown", PAYER, [], {"acme": 1}])
def test_who_is_for_no_payer_does_not_sign_in(
    browser: httpx.Client, issuer: SmallIssuer, payer: Any
) -> None:
    """Known, and not served."""
    issuer.user |= {"payer": payer}
    assert told(browser.get(begun(browser))) == 403


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (503, b'{"error": "temporarily_unavailable"}'),
        (302, b""),
        (401, b'{"error": "invalid_client"}'),
        (400, b'{"error": "unauthorized_client"}'),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"{}"),
        (200, b'{"id_token": 7}'),
        (200, b'{"id_token": "' + b"x" * 300_000 + b'"}'),
        (200, b"[" * 100_000),
    ],
    ids=lambda answer: f"{answer[0]} {answer[1][:24]!r}",
)
def test_an_issuer_that_fails_is_a_fault(
    browser: httpx.Client, issuer: SmallIssuer, answer: tuple[int, bytes]
) -> None:
    """503 and when to try again, not "you are nobody"."""
    issuer.token_answer = answer
    refused = browser.get(begun(browser))

    assert told(refused) == 503
    assert "issuer" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0


def test_an_issuer_that_is_away_is_a_fault(ground: Ground, issuer: SmallIssuer) -> None:
    """Nothing listens where tokens are given, or where its keys are."""
    away = SmallIssuer()
    for name, value in (("signin_token_url", f"{away.root}/token"), ("token_jwks_url", away.url)):
        with signing_in(ground.settings, issuer, **{name: value}) as url, client_of(url) as browser:
            back = begun(browser)
            if name == "signin_token_url":
                away.stop()
            assert told(browser.get(back)) == 503


PLACES = [
    *("https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\evil"),
    *("/\t/evil.example", "/\n/evil.example", "evil.example", "javascript:alert(1)", "", " /x"),
    *("http:evil.example", "/x\r\nSet-Cookie: a=b", "/é", "/" + "x" * 3000, "?x", "/x y"),
]


@pytest.mark.parametrize("next_", PLACES, ids=lambda each: repr(each[:24]))
def test_one_is_sent_to_no_other_place(browser: httpx.Client, next_: str) -> None:
    """Only to a path of this service."""
    answer = browser.get("/session/sign-in", params={"next": next_})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "/query/next")


@pytest.mark.parametrize("next_", ["/", "/docs#/x", "/worklist?size=2&a=%2F%2Fb", "/@x", "/a//b"])
def test_one_comes_back_to_where_one_wanted(browser: httpx.Client, next_: str) -> None:
    """With parameters and all."""
    assert browser.get(begun(browser, next_)).headers["location"] == next_


def test_a_session_that_was_there_before_is_not_used(address: str, issuer: SmallIssuer) -> None:
    """Whoever planted it does not have the session of who signs in, nor his own any more."""
    with signed_in(address) as mallory, client_of(address) as victim:
        name, planted = cookie_of(mallory)
        victim.cookies.set(name, planted)
        issuer.user |= {"sub": "victim"}
        answer = victim.get(begun(victim), headers={"cookie": _cookies(victim, name, planted)})
        assert answer.status_code == 303
        victims = answer.cookies[name]

        assert victims != planted
        assert mallory.get("/session").status_code == 401


def _cookies(browser: httpx.Client, name: str, value: str) -> str:
    """What a browser sends, with a session of somebody else."""
    begun_ = next((key, each) for key, each in browser.cookies.items() if key.endswith("-begun"))
    return f"{begun_[0]}={begun_[1]}; {name}={value}"


def test_the_service_shows_the_issuer_who_it_is(ground: Ground, issuer: SmallIssuer) -> None:
    """By its secret, where it has one; without it the issuer gives nothing."""
    issuer.secret = SECRET
    for secret, status in ((SecretStr(SECRET), 303), (SecretStr("other"), 503), (None, 503)):
        settings = {"signin_client_secret": secret}
        with signing_in(ground.settings, issuer, **settings) as url, client_of(url) as browser:
            assert browser.get(begun(browser)).status_code == status


def test_with_tls_the_cookie_is_of_this_host_alone(ground: Ground, issuer: SmallIssuer) -> None:
    """By its name, which browsers hold to: Secure, for all paths, of no domain."""
    settings = {"public_url": "https://auth.example"}
    with signing_in(ground.settings, issuer, **settings) as url, client_of(url) as browser:
        begun_ = browser.get("/session/sign-in")
        there = begun_.headers["location"]
        back = urlsplit(httpx.get(there, trust_env=False).headers["location"])
        sent = {"cookie": begun_.headers["set-cookie"].partition(";")[0]}
        answer = browser.get(f"{back.path}?{back.query}", headers=sent)
        set_cookies = [begun_.headers["set-cookie"], *answer.headers.get_list("set-cookie")]
        session = {"cookie": set_cookies[1].partition(";")[0]}
        who = browser.get("/session", headers=session).json()
        token = {"x-csrf-token": who["csrf_token"], "origin": "https://auth.example"}

        assert (back.scheme, back.netloc, who["name"]) == ("https", "auth.example", "jo")
        assert [each.partition("=")[0] for each in set_cookies] == [
            "__Host-authmatch-begun",
            "__Host-authmatch",
            "__Host-authmatch-begun",
        ]
        for each in set_cookies:
            attributes = {part.strip().partition("=")[0].lower() for part in each.split(";")[1:]}
            assert attributes - {"max-age"} == {"httponly", "path", "samesite", "secure"}
            assert "samesite=lax" in each.lower()
            assert "Path=/" in each
        assert browser.post("/session/sign-out", headers=session | token).status_code == 204
        assert browser.get("/session/open", params={"ticket": "x"}).status_code == 404


def test_nobody_signs_in_where_no_issuer_is(ground: Ground, issuer: SmallIssuer) -> None:
    """Half of the settings are none."""
    for name in ("public_url", "signin_client_id", "signin_token_url", "token_issuer"):
        with signing_in(ground.settings, issuer, **{name: None}) as url, client_of(url) as browser:
            assert browser.get("/session/sign-in").status_code == 404
            assert browser.get("/session/callback").status_code == 404


def test_an_id_token_gives_no_access(browser: httpx.Client, issuer: SmallIssuer) -> None:
    """And an access token opens no session: each has its audience."""
    id_token = issuer.id_token({"aud": CLIENT_ID, "nonce": "x", **issuer.user})
    headers = {"authorization": f"Bearer {id_token}"}
    assert told(browser.get(PATH, headers=headers)) == 401
    assert NAME not in browser.get(PATH, headers=headers).text
