"""Tells another system by HTTP: hosts of a list alone, no redirects, no private addresses, signed.

The name is looked up once, and what was found is connected to: a name that leads elsewhere a moment
later is not followed there.
"""

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import orjson

from service.notices.notice import Notice, NotTold

TIMEOUT_S = 10
_PORTS = {"https": 443, "http": 80}
_SHOWN = ("alert_id", "kind", "authorization_id", "request_id", "day", "due", "since", "says")
_LASTING = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
"""Answers that will be the same the next time (RFC 9110)."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Which hosts may be told, by which secret it is signed; ``is_private``: also private ones."""

    hosts: frozenset[str]
    secret: bytes = field(repr=False)
    is_private: bool = False

    def problem_of(self, url: str) -> str | None:
        """Why an address is not taken; None where it is."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "not an address"
        host = parts.hostname or ""
        if parts.scheme not in _PORTS or not host or "@" in parts.netloc or parts.fragment:
            return "an address is https:// with host and path, without a user"
        if parts.scheme == "http" and not self.is_private:
            return "only https:// is taken"
        named = host if port is None else f"{host}:{port}"
        return None if named in self.hosts else "this host is not among those that may be told"

    def send(self, notice: Notice, url: str) -> None:
        """Send a notice and wait for a status of success; raises NotTold."""
        if reason := self.problem_of(url):
            raise NotTold(reason, is_lasting=True)
        parts = urlsplit(url)
        body = body_of(notice)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection = _Pinned(parts, self._address_of(parts))
        try:
            connection.request("POST", path, body, self._headers(notice, body))
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotTold(f"the other system failed ({type(error).__name__})") from None
        finally:
            connection.close()
        if not 200 <= status < 300:
            reason = "a redirect is not followed" if 300 <= status < 400 else f"answered {status}"
            raise NotTold(reason, is_lasting=status in _LASTING)

    def _headers(self, notice: Notice, body: bytes) -> dict[str, str]:
        at = str(int(time.time()))
        signed = hmac.digest(self.secret, f"{at}.".encode() + body, hashlib.sha256).hex()
        return {
            "Content-Type": "application/json",
            "Authmatch-Notice": notice.notice_id,
            "Authmatch-Signature": f"t={at},v1={signed}",
            "User-Agent": "authmatch",
        }

    def _address_of(self, parts: SplitResult) -> str:
        """Look the host up; all that it leads to must be public. Raises NotTold."""
        host = parts.hostname or ""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            raise NotTold("the host is not found") from None
        addresses = [str(each[4][0]) for each in found]
        if not self.is_private and not all(map(_is_public, addresses)):
            raise NotTold("the host leads to a private address", is_lasting=True)
        return addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    ip = mapped or ip
    return ip.is_global and not ip.is_multicast


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked up; TLS is for the name that was asked for."""

    def __init__(self, parts: SplitResult, address: str) -> None:
        """Nothing is sent yet."""
        super().__init__(parts.hostname or "", parts.port or _PORTS[parts.scheme], TIMEOUT_S)
        self._address = address
        self._is_tls = parts.scheme == "https"

    def connect(self) -> None:
        """Connect to the address."""
        made = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_tls:
            context = ssl.create_default_context()
            made = context.wrap_socket(made, server_hostname=self.host)
        self.sock = made


def body_of(notice: Notice) -> bytes:
    """The notice as JSON: the alerts without the member."""
    alerts = [
        {name: each for name, each in alert.as_answer().items() if name in _SHOWN}
        for alert in notice.alerts
    ]
    return orjson.dumps({"notice": notice.notice_id, "payer": notice.payer, "alerts": alerts})
