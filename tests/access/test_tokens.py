"""Tokens of a real issuer: who they are of, its keys when they change, its outage."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from service.access import tokens
from service.access.scopes import ALL
from service.access.subject import NotAuthenticated, NotForPayer, Subject, hash_of
from service.access.tokens import Issuer, Tokens, issuer_of, scopes_of
from service.domain.engine_fault import EngineFault
from service.settings import Settings
from tests.access.issuer import AUDIENCE, NAME, PAYER, SmallIssuer

ROLES = {"examiner": frozenset({"worklist.work", "claims.match"})}


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallIssuer]:
    """An issuer of this test; nobody waits to ask it again."""
    monkeypatch.setattr(tokens, "AGAIN_S", 0)
    small = SmallIssuer()
    yield small
    small.stop()


def trusting(small: SmallIssuer, **changes: Any) -> Tokens:
    """What takes tokens of the issuer."""
    fields: dict[str, Any] = {
        "name": NAME,
        "audience": AUDIENCE,
        "jwks_url": small.url,
        "scope_claim": "scope",
        "payer_claim": "payer",
        "payers": {"acme": PAYER, "other": "P2"},
    }
    return Tokens(Issuer(**{**fields, **changes}), ROLES)


async def asked(of: Tokens, token: str) -> Subject:
    """Who a token is of."""
    return await of.subject_of(hash_of(token.encode()), token.encode())


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario."""
    asyncio.run(work())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_good_token_says_who_asks(issuer: SmallIssuer, kind: str) -> None:
    """By both algorithms; once verified it is known, and the issuer was asked once."""
    token = issuer.token(getattr(issuer, kind))

    async def scenario() -> None:
        of = trusting(issuer)
        subject = await asked(of, token)
        assert subject.title == "token:claims-engine"
        assert subject.payers == {PAYER}
        assert subject.scopes == {"claims.match", "clinical.authorization.read"}
        assert of.known(hash_of(token.encode())) is subject
        assert (await asked(of, token), issuer.asked) == (subject, 1)

    run(scenario)


@pytest.mark.parametrize(
    ("claims", "payers"),
    [
        ({"aud": ["x", AUDIENCE]}, {PAYER}),
        ({"nbf": None, "iat": None}, {PAYER}),
        ({"payer": ["acme", "other"]}, {PAYER, "P2"}),
        ({"payer": "acme other unknown"}, {PAYER, "P2"}),
        ({"scope": None}, {PAYER}),
    ],
)
def test_ways_to_say_the_same(issuer: SmallIssuer, claims: Any, payers: set[str]) -> None:
    """Lists and words, and claims that need not be there."""

    async def scenario() -> None:
        assert (await asked(trusting(issuer), issuer.token(**claims))).payers == payers

    run(scenario)


@pytest.mark.parametrize("payer", [None, "unknown", PAYER, [], {"acme": 1}, 7, "*", ["ACME"]])
def test_a_token_for_no_payer_of_ours(issuer: SmallIssuer, payer: Any) -> None:
    """Nothing is taken for a payer but what was configured to lead to one."""

    async def scenario() -> None:
        with pytest.raises(NotForPayer):
            await asked(trusting(issuer), issuer.token(payer=payer))

    run(scenario)


@pytest.mark.parametrize(
    ("words", "scopes"),
    [
        ("claims.match nonsense", {"claims.match"}),
        ("role:examiner", {"worklist.work", "claims.match"}),
        ("role:nobody examiner", set()),
        ("system/ClaimResponse.rs", {"clinical.authorization.read"}),
        ("system/ClaimResponse.read", {"clinical.authorization.read"}),
        ("system/*.rs", {"clinical.authorization.read"}),
        ("system/ClaimResponse.cu", {"clinical.authorization.write"}),
        ("system/ClaimResponse.write", {"clinical.authorization.write"}),
        (
            "system/ClaimResponse.cruds",
            {"clinical.authorization.read", "clinical.authorization.write"},
        ),
        ("system/ClaimResponse.r system/ClaimResponse.s system/Patient.rs", set()),
        ("user/ClaimResponse.rs patient/ClaimResponse.rs", set()),
        ("* admin.* system/ClaimResponse. system/*", set()),
    ],
)
def test_scopes_of_a_claim(words: str, scopes: set[str]) -> None:
    """Ours, roles, those of SMART; what is not known gives nothing."""
    assert scopes_of(words.split(), ROLES) == scopes
    assert scopes <= ALL


def test_keys_of_the_issuer_change(issuer: SmallIssuer) -> None:
    """A new one is found when it comes; one that was given up is taken no more after a fetch."""

    async def scenario() -> None:
        of = trusting(issuer)
        old = issuer.token()
        await asked(of, old)
        new = RSAKey.generate_key(2048, {"kid": "rsa-2"})
        issuer.keys = [new.as_dict(private=False)]
        assert (await asked(of, issuer.token(new))).name == "claims-engine"
        assert of.known(hash_of(old.encode())) is None
        with pytest.raises(NotAuthenticated):
            await asked(of, old)

    run(scenario)


def test_a_flood_of_unknown_keys_is_one_fetch(
    issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask at once."""
    flood = [issuer.token(header={"kid": f"k-{number}"}) for number in range(50)]

    async def scenario() -> None:
        of = trusting(issuer)
        told = await asyncio.gather(*(asked(of, each) for each in flood), return_exceptions=True)
        assert {type(each) for each in told} == {NotAuthenticated}

    run(scenario)
    assert issuer.asked == 1


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (302, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"keys": {}}'),
        (200, b'{"keys": []}'),
        (200, b'{"keys": [7, null, {"kty": "RSA"}, {"kid": "x", "kty": "EC"}]}'),
        (200, b'{"keys": "' + b"x" * 300_000 + b'"}'),
        (200, b"[" * 100_000),
    ],
)
def test_an_outage_of_the_issuer(
    issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes]
) -> None:
    """Known keys go on for a day, then it is a fault; so is an unknown one: it may be new."""

    async def scenario() -> None:
        of = trusting(issuer)
        await asked(of, issuer.token())
        issuer.answer = answer
        with pytest.raises(EngineFault):
            await of.fetch()
        assert (await asked(of, issuer.token(sub="else"))).name == "else"
        with pytest.raises(EngineFault):
            await asked(of, issuer.token(header={"kid": "new"}))
        monkeypatch.setattr(tokens, "STALE_S_MAX", -1)
        with pytest.raises(EngineFault, match="for a day"):
            await asked(of, issuer.token(sub="third"))

    run(scenario)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_keys_that_may_not_sign_are_left_out(issuer: SmallIssuer) -> None:
    """Symmetric, short, for encryption, of another algorithm or curve."""
    short = RSAKey.generate_key(1024, {"kid": "short"})
    other = ECKey.generate_key("P-384", {"kid": "p384"})
    symmetric = OctKey.generate_key(256, {"kid": "oct"})
    usual = issuer.rsa.as_dict(private=False)
    issuer.keys += [
        short.as_dict(private=False),
        other.as_dict(private=False),
        symmetric.as_dict(),
        usual | {"kid": "enc", "use": "enc"},
        usual | {"kid": "ps", "alg": "PS256"},
    ]

    async def scenario() -> None:
        of = trusting(issuer)
        for kid in ("short", "p384", "oct", "enc", "ps"):
            with pytest.raises(NotAuthenticated):
                await asked(of, issuer.token(header={"kid": kid}))

    run(scenario)


def test_an_issuer_is_configured_whole_or_not_at_all() -> None:
    """Two of three settings are no issuer; another scheme than https is refused but on loopback."""
    whole = {
        "token_issuer": NAME,
        "token_audience": AUDIENCE,
        "token_jwks_url": "https://issuer.example/jwks",
    }
    assert issuer_of(Settings(**whole)) is not None  # type: ignore[arg-type]
    for left_out in whole:
        some = {name: each for name, each in whole.items() if name != left_out}
        assert issuer_of(Settings(**some)) is None  # type: ignore[arg-type]
    for url in (
        "http://issuer.example/jwks",
        "file:///etc/passwd",
        "https://a@b/",
        "http://127.0.0.1.evil/",
    ):
        with pytest.raises(ValueError, match="token_jwks_url"):
            Settings(token_jwks_url=url)
