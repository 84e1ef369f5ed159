"""A corpus of bad tokens, keys and requests: each is refused, and says nothing of others."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.access import keys, tokens
from service.settings import StartKey
from tests.access.bad_tokens import bad_tokens
from tests.access.issuer import AUDIENCE, NAME, PAYER, SmallIssuer
from tests.ground import Ground
from tests.serving import client_of, serving

KEY = "the-key-of-the-settings"
PATH = "/authorizations"

Headers = list[tuple[bytes, bytes]]


@pytest.fixture(scope="module")
def issuer() -> Iterator[SmallIssuer]:
    """The issuer of this module."""
    small = SmallIssuer()
    yield small
    small.stop()


@pytest.fixture(scope="module")
def address(ground: Ground, issuer: SmallIssuer) -> Iterator[str]:
    """A service that takes its tokens, and a key for two payers."""
    start = StartKey(payers=(PAYER, "P2"), name="desk")
    settings = ground.settings.model_copy(
        update={
            "limit_failures": 0,
            "api_keys": {SecretStr(KEY): start},
            "token_issuer": NAME,
            "token_audience": AUDIENCE,
            "token_jwks_url": issuer.url,
            "token_payers": {"acme": PAYER},
        }
    )
    with pytest.MonkeyPatch.context() as patch, serving(settings) as url:
        patch.setattr(keys, "AGAIN_S", 0)
        patch.setattr(tokens, "AGAIN_S", 0)
        yield url


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    """Nobody."""
    with client_of(address) as nobody:
        yield nobody


def told(answer: httpx.Response, *secrets: str) -> int:
    """The status of a refusal that says what to do, and none of what was sent."""
    problem = json.loads(answer.content)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]
    assert set(problem) <= {"type", "title", "status", "detail"}
    for secret in secrets:
        assert len(secret) < 12 or secret not in answer.text
    for word in (KEY, PAYER, "P2", "rsa-1", "Traceback"):
        assert word not in answer.text
    return answer.status_code


def test_every_bad_token_is_refused(client: httpx.Client, issuer: SmallIssuer) -> None:
    """Whatever is wrong with it, and however often it comes."""
    corpus = list(bad_tokens(issuer))
    assert len(corpus) >= 200
    good = {"authorization": f"Bearer {issuer.token()}"}
    assert client.get(PATH, headers=good).status_code == 200
    for name, token in corpus:
        answer = client.get(PATH, headers=[(b"authorization", b"Bearer " + token.encode())])
        assert told(answer, token) == 401, (name, answer.text)
        assert answer.headers["www-authenticate"].startswith("Bearer"), name
    assert client.get(PATH, headers=good).status_code == 200


@pytest.mark.parametrize(
    ("claims", "path", "status"),
    [
        ({"payer": "unknown"}, PATH, 403),
        ({"payer": None}, PATH, 403),
        ({"scope": ""}, PATH, 403),
        ({"scope": None}, PATH, 403),
        ({"scope": "claims.match"}, PATH, 403),
        ({"scope": "system/ClaimResponse.cu"}, "/fhir/ClaimResponse?patient=x", 403),
        ({"scope": "system/ClaimResponse.rs"}, "/fhir/ClaimResponse?patient=x", 200),
        ({"scope": "clinical.authorization.read"}, "/keys", 403),
    ],
)
def test_a_good_token_that_may_not(
    client: httpx.Client, issuer: SmallIssuer, claims: dict[str, Any], path: str, status: int
) -> None:
    """For no payer of ours, or without the scope."""
    token = issuer.token(**claims)
    answer = client.get(path, headers={"authorization": f"Bearer {token}"})

    assert answer.status_code == status, answer.text


BAD_KEYS: list[bytes] = [
    *(b"x", b"am_", b"am__", b"am_0123456789abcdef_", b"am_0123456789abcdef_" + b"A" * 43),
    *(KEY.upper().encode(), KEY[:-1].encode(), f"{KEY}x".encode(), f"x{KEY}".encode()),
    *(f"{KEY},{KEY}".encode(), f'"{KEY}"'.encode(), KEY.encode() * 400, b"k" * 9000),
    *("é☃".encode(), b"\xff\xfe\xfd", b"null", b"undefined", b"true", b"*", b"%", b"' OR 1=1"),
]


@pytest.mark.parametrize("key", BAD_KEYS, ids=lambda key: repr(key[:24]))
def test_every_bad_key_is_refused(client: httpx.Client, key: bytes) -> None:
    """By either header."""
    for header in ((b"x-api-key", key), (b"authorization", b"Bearer " + key)):
        answer = client.get(PATH, headers=[header])
        assert told(answer, key.decode("latin-1")) == 401


REQUESTS: list[tuple[str, Headers, str, int]] = [
    ("nothing", [], "", 401),
    ("two keys", [(b"x-api-key", KEY.encode())] * 2, "", 401),
    (
        "both headers",
        [(b"x-api-key", KEY.encode()), (b"authorization", b"Bearer " + KEY.encode())],
        "",
        401,
    ),
    ("two bearers", [(b"authorization", b"Bearer " + KEY.encode())] * 2, "", 401),
    ("a cookie", [(b"cookie", b"x-api-key=" + KEY.encode())], "", 401),
    ("other schemes", [(b"authorization", b"Basic " + KEY.encode())], "", 401),
    ("token scheme", [(b"authorization", b"Token " + KEY.encode())], "", 401),
    ("no scheme", [(b"authorization", KEY.encode())], "", 401),
    ("empty bearer", [(b"authorization", b"Bearer")], "", 401),
    ("empty key", [(b"x-api-key", b"")], "", 401),
    ("empty key and a good one", [(b"x-api-key", b""), (b"x-api-key", KEY.encode())], "", 401),
    *(
        (f"{name} in the address", headers, f"?{name}={KEY}", 401)
        for name in (
            *("api_key", "apikey", "api-key", "X-API-Key", "key", "token", "access_token"),
            *("id_token", "bearer", "jwt", "a%70i_key"),
        )
        for headers in ([], [(b"x-api-key", KEY.encode()), (b"x-payer", b"P2")])
    ),
    (
        "a made key as any parameter",
        [(b"x-api-key", KEY.encode()), (b"x-payer", b"P2")],
        f"?number=am_0123456789abcdef_{'A' * 43}",
        401,
    ),
    ("no payer of two", [(b"x-api-key", KEY.encode())], "", 403),
    *(
        (f"payer {payer!r}", [(b"x-api-key", KEY.encode()), (b"x-payer", payer)], "", 403)
        for payer in (b"", b"p2", b"P3", b"P2,P2", b"P2 P3", b"*", b"\xff", b"x" * 4000)
    ),
    (
        "two payers",
        [(b"x-api-key", KEY.encode()), (b"x-payer", b"P2"), (b"x-payer", b"P2")],
        "",
        403,
    ),
]


@pytest.mark.parametrize(
    ("name", "headers", "query", "status"), REQUESTS, ids=[each[0] for each in REQUESTS]
)
def test_every_bad_request_is_refused(
    client: httpx.Client, name: str, headers: Headers, query: str, status: int
) -> None:
    """With several credentials, none, one in the wrong place, or for a payer not its own."""
    assert told(client.get(f"{PATH}{query}", headers=headers)) == status


def test_what_looks_like_them_is_taken(client: httpx.Client) -> None:
    """Ids and numbers in an address, and the scheme in any case."""
    good = [(b"authorization", b"bEaReR  " + KEY.encode()), (b"x-payer", b"P2")]
    for query in ("?number=am_1", "?number=key", "?member=token", "?provider=eyJ"):
        assert client.get(f"{PATH}{query}", headers=good).status_code == 200
