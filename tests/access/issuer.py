"""A small real issuer on loopback: keys that change, a JWKS, tokens that it signs, and sign-in."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

NAME, AUDIENCE, PAYER = "https://issuer.example", "authmatch", "token-payer"

Json = dict[str, Any]


class SmallIssuer:
    """Answers its JWKS, or what it is told to; ``asked`` counts how often.

    Whoever comes to sign in is signed in at once, with the claims ``user``: codes are good once,
    for who has the verifier (RFC 7636) and the ``secret``. ``spoiled`` makes another id token,
    ``token_answer`` another answer.
    """

    def __init__(self) -> None:
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa-1"})
        self.ec = ECKey.generate_key("P-256", {"kid": "ec-1"})
        self.keys: list[Json] = [self.rsa.as_dict(private=False), self.ec.as_dict(private=False)]
        self.answer: tuple[int, bytes] | None = None
        self.asked = 0
        self.user: Json = {"sub": "jo", "payer": "acme", "scope": "role:examiner"}
        self.secret: str | None = None
        self.spoiled: Callable[[Json], str] | None = None
        self.token_answer: tuple[int, bytes] | None = None
        self.codes: dict[str, dict[str, str]] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                if path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", issuer.authorize(dict(parse_qsl(query))))
                    self.end_headers()
                    return
                issuer.asked += 1
                jwks = json.dumps({"keys": issuer.keys}).encode()
                self.say(*(issuer.answer or (200, jwks)))

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = dict(parse_qsl(self.rfile.read(length).decode()))
                said = issuer.exchange(form, self.headers.get("Authorization"))
                self.say(*(issuer.token_answer or said))

            def say(self, status: int, content: bytes) -> None:
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/jwks")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.root}/jwks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()

    def authorize(self, asked: dict[str, str]) -> str:
        """Sign somebody in, and send him back with a code."""
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        given = {"code": code, "state": asked["state"], "iss": NAME}
        return f"{asked['redirect_uri']}?{urlencode(given)}"

    def exchange(self, form: dict[str, str], authorization: str | None) -> tuple[int, bytes]:
        """Give the id token for a code, once."""
        asked = self.codes.pop(form.get("code", ""), None)
        pair = f"{quote_plus(form['client_id'])}:{quote_plus(self.secret or '')}".encode()
        wanted = self.secret and f"Basic {base64.b64encode(pair).decode()}"
        if authorization != wanted:
            return 401, b'{"error": "invalid_client"}'
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or any(asked[name] != form.get(name) for name in ("client_id", "redirect_uri"))
            or asked["code_challenge"] != challenge
        ):
            return 400, b'{"error": "invalid_grant"}'
        claims = {"aud": asked["client_id"], "nonce": asked["nonce"], **self.user}
        token = (self.spoiled or self.id_token)(claims)
        return 200, json.dumps({"access_token": "x", "id_token": token}).encode()

    def id_token(self, claims: Json) -> str:
        """A good id token."""
        return self.token(header={"typ": "JWT"}, **claims)

    def token(
        self,
        key: RSAKey | ECKey | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A token that is good but for what is given; a claim that is None is left out."""
        signer = key or self.rsa
        algorithm = "ES256" if isinstance(signer, ECKey) else "RS256"
        head = {"alg": algorithm, "kid": signer.kid, "typ": "at+jwt", **(header or {})}
        kept = {name: each for name, each in head.items() if each is not None}
        return jwt.encode(kept, claims_of(**claims), signer, algorithms=["RS256", "ES256", "RS512"])


def claims_of(**changes: Any) -> Json:
    """The claims of a good token, with changes; one that is None is left out."""
    now = int(time.time())
    usual = {
        "iss": NAME,
        "aud": AUDIENCE,
        "sub": "claims-engine",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "scope": "claims.match clinical.authorization.read",
        "payer": "acme",
    }
    return {name: each for name, each in (usual | changes).items() if each is not None}


def raw(header: Any, payload: Any, signature: bytes = b"") -> str:
    """A token of parts, right or wrong: bytes as they are, else as JSON."""
    parts = [
        each if isinstance(each, bytes) else json.dumps(each).encode() for each in (header, payload)
    ]
    return ".".join(
        base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in (*parts, signature)
    )
