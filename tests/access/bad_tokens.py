"""A corpus of tokens that must be refused: what is wrong with each, and the token."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

from joserfc.jwk import ECKey, RSAKey

from tests.access.issuer import SmallIssuer, claims_of, raw

Named = Iterator[tuple[str, str]]

ALGORITHMS: tuple[Any, ...] = (
    *("none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256"),
    *("PS512", "ES384", "ES512", "ES256K", "EdDSA", "RS256 ", "rs256", "RSA-OAEP", "dir", "A256KW"),
    *(None, 7, True, ["RS256"], {"RS256": 1}),
)
KIDS: tuple[Any, ...] = (
    *("", "unknown", "../../../etc/passwd", "' OR 1=1 --", "rsa-1 ", "RSA-1", "rsa-1,ec-1", "*"),
    *("x" * 257, "x" * 4000, "\u0000", "é☃", None, 7, True, ["rsa-1"], {"kid": "rsa-1"}),
)
TYPES: tuple[Any, ...] = ("JWE", "id_token+jwt", "logout+jwt", "dpop+jwt", "", 7, None, ["JWT"])
EXTRAS: dict[str, Any] = {
    "jku": "https://evil.example/jwks",
    "x5u": "https://evil.example/cert",
    "x5c": ["MIIB"],
    "crit": ["exp"],
    "b64": False,
    "zip": "DEF",
    "enc": "A256GCM",
    "url": "https://evil.example",
    "nonce": "1",
}
CLAIMS: dict[str, tuple[Any, ...]] = {
    "iss": ("https://evil.example", "https://issuer.example/", "", "HTTPS://ISSUER.EXAMPLE", 7, []),
    "aud": ("other", "authmatch2", "auth", "", "AUTHMATCH", [], ["other"], [["authmatch"]], {}, 7),
    "exp": (0, -1, 1, "9999999999", True, float("nan"), float("-inf"), float("inf"), [], {}),
    "nbf": (2**40, "0", True, [], {}, float("inf"), float("nan")),
    "iat": (2**40, "0", True, []),
    "sub": ("", 7, [], {}, "x" * 201, "a\nb", "a\u0000b", "\u202eabc", True),
}


def bad_tokens(issuer: SmallIssuer) -> Named:
    """All of them; what is not said to be wrong with one is right."""
    yield from _of_headers(issuer)
    yield from _of_confusion(issuer)
    yield from _of_claims(issuer)
    yield from _of_signatures(issuer)
    yield from _of_shapes(issuer)


def _signature_of(token: str) -> bytes:
    return base64.urlsafe_b64decode(token.split(".")[2] + "==")


def _of_headers(issuer: SmallIssuer) -> Named:
    signed = _signature_of(issuer.token())
    for algorithm in ALGORITHMS:
        header = {"alg": algorithm, "kid": "rsa-1", "typ": "at+jwt"}
        yield f"alg {algorithm!r} unsigned", raw(header, claims_of())
        yield f"alg {algorithm!r} signed", raw(header, claims_of(), signed)
    yield "no alg", raw({"kid": "rsa-1"}, claims_of(), signed)
    for kid in KIDS:
        header = {"alg": "RS256", "kid": kid, "typ": "at+jwt"}
        yield f"kid {str(kid)[:20]!r}", raw(header, claims_of(), signed)
    yield "no kid", raw({"alg": "RS256"}, claims_of(), signed)
    for kind in TYPES:
        header = {"alg": "RS256", "kid": "rsa-1", "typ": kind}
        yield f"typ {kind!r}", raw(header, claims_of(), signed)
    for name, value in EXTRAS.items():
        header = {"alg": "RS256", "kid": "rsa-1", name: value}
        yield f"header {name}", raw(header, claims_of(), signed)
    twice = b'{"alg":"RS256","kid":"rsa-1","alg":"none"}'
    yield "alg twice", raw(twice, claims_of())


def _of_confusion(issuer: SmallIssuer) -> Named:
    """Signed with what everybody knows of the issuer, or with keys of somebody else."""
    public = issuer.rsa.as_dict(private=False)
    secrets = {
        "pem": issuer.rsa.as_pem(private=False),
        "der": issuer.rsa.as_der(private=False),
        "jwk": json.dumps(public).encode(),
        "modulus": str(public["n"]).encode(),
        "kid": b"rsa-1",
        "nothing": b"",
    }
    for name, secret in secrets.items():
        for algorithm in ("HS256", "HS512", "RS256", "ES256"):
            head = raw({"alg": algorithm, "kid": "rsa-1"}, claims_of()).rpartition(".")[0]
            digest = hashlib.sha512 if algorithm == "HS512" else hashlib.sha256
            signature = hmac.new(secret, head.encode(), digest).digest()
            yield f"{algorithm} by {name}", f"{head}.{raw(b'', b'', signature).rpartition('.')[2]}"
    theirs = RSAKey.generate_key(2048, {"kid": "rsa-1"})
    yield "their key under our kid", issuer.token(theirs)
    yield (
        "their key in the header",
        issuer.token(theirs, header={"jwk": theirs.as_dict(private=False)}),
    )
    yield "their curve key", issuer.token(ECKey.generate_key("P-256", {"kid": "ec-1"}))
    yield "kid of the other type", issuer.token(header={"kid": "ec-1"})
    yield "curve key under the kid of RSA", issuer.token(issuer.ec, header={"kid": "rsa-1"})


def _of_claims(issuer: SmallIssuer) -> Named:
    for name, values in CLAIMS.items():
        for value in values:
            yield f"{name} {str(value)[:20]!r}", issuer.token(**{name: value})
    for name in ("iss", "aud", "exp", "sub"):
        yield f"no {name}", issuer.token(**{name: None})
    now = int(time.time())
    yield "expired", issuer.token(exp=now - 120)
    yield "not yet valid", issuer.token(nbf=now + 120)
    yield "issued tomorrow", issuer.token(iat=now + 86_400)


def _of_signatures(issuer: SmallIssuer) -> Named:
    for key in (issuer.rsa, issuer.ec):
        token = issuer.token(key)
        head, _, _ = token.rpartition(".")
        signature = _signature_of(token)
        for place in range(0, len(signature), max(1, len(signature) // 12)):
            changed = bytearray(signature)
            changed[place] ^= 1
            yield f"bit of byte {place}", f"{head}.{raw(b'', b'', bytes(changed)).split('.')[2]}"
        for name, other in (
            ("none", b""),
            ("half", signature[:32]),
            ("zeros", bytes(len(signature))),
        ):
            yield f"signature {name}", f"{head}.{raw(b'', b'', other).split('.')[2]}"
        first, second, third = token.split(".")
        more = raw(b"", claims_of(scope="admin")).split(".")[1]
        yield "other claims", f"{first}.{more}.{third}"
        yield "signature of another", f"{first}.{second}.{issuer.token(sub='x').split('.')[2]}"


def _of_shapes(issuer: SmallIssuer) -> Named:
    token = issuer.token()
    first, second, third = token.split(".")
    for shape in (
        "..",
        "a.b.c",
        ".b.c",
        "a..c",
        "!.?.*",
        "=.=.=",
        "e30.e30.e30",
        "bnVsbA.e30.",
        "W10.e30.",
    ):
        yield f"shape {shape}", shape
    yield "two parts", f"{first}.{second}"
    yield "four parts", f"{token}.{third}"
    yield "five parts", f"{first}.{second}.{third}.{third}.{third}"
    yield "blank within", f"{first}. {second}.{third}"
    yield "padded", f"{first}==.{second}==.{third}=="
    yield "twice", f"{token}{token}"
    yield "long", f"{token}{'A' * 9000}"
    yield "deep header", raw(b"[" * 1500, claims_of())
    yield "deep claims", raw({"alg": "RS256", "kid": "rsa-1"}, b"[" * 2000, b"x")
    for content in (b"", b"7", b'"x"', b"[]", b"null", b"{", b"\xff\xfe"):
        yield f"header {content!r}", raw(content, claims_of())
        yield f"claims {content!r}", raw({"alg": "RS256", "kid": "rsa-1"}, content, b"x")
