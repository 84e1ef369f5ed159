"""A small real issuer on loopback: keys that change, a JWKS, tokens that it signs."""

import base64
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

NAME, AUDIENCE, PAYER = "https://issuer.example", "authmatch", "token-payer"

Json = dict[str, Any]


class SmallIssuer:
    """Answers its JWKS, or what it is told to; ``asked`` counts how often."""

    def __init__(self) -> None:
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa-1"})
        self.ec = ECKey.generate_key("P-256", {"kid": "ec-1"})
        self.keys: list[Json] = [self.rsa.as_dict(private=False), self.ec.as_dict(private=False)]
        self.answer: tuple[int, bytes] | None = None
        self.asked = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                jwks = json.dumps({"keys": issuer.keys}).encode()
                status, content = issuer.answer or (200, jwks)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()

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
