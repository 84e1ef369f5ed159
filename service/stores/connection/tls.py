"""How connections to the engines are encrypted: whose certificates are trusted, and ours.

What an engine shows is always verified, with the name by which it is called; no setting ends that.
"""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

TIMEOUT_S = 5.0
CAUSES_MAX = 10
PORTS = {"https": 443, "rediss": 6379}


class BadCertificate(Exception):
    """A file of certificates or keys cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTrust:
    """Files of PEM: the signers that are trusted, else those of the system, and our own."""

    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None

    def context(self) -> ssl.SSLContext:
        """What connections are made with: TLS 1.2 or later. Raises BadCertificate."""
        try:
            context = ssl.create_default_context(cafile=self.ca_certs)
        except OSError as error:
            raise BadCertificate(f"{self.ca_certs} cannot be read as certificates") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.client_cert:
            try:
                # Without a password OpenSSL would ask whoever sits at the terminal.
                context.load_cert_chain(self.client_cert, self.client_key, password="")
            except OSError as error:
                files = " and ".join(filter(None, (self.client_cert, self.client_key)))
                raise BadCertificate(f"{files} are no certificate with its key") from error
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How one address of an engine is encrypted: the version of TLS, the end of its certificate."""

    host: str
    version: str
    valid_until: datetime


async def encryption_of(url: str, trust: EngineTrust) -> Encryption:
    """Connect to an address by TLS and look; raises OSError, BadCertificate."""
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or PORTS[address.scheme]
    async with asyncio.timeout(TIMEOUT_S):
        _, writer = await asyncio.open_connection(host, port, ssl=trust.context())
    try:
        shown = writer.get_extra_info("peercert")
        version = writer.get_extra_info("ssl_object").version()
        until = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
        return Encryption(host=host, version=version, valid_until=until)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


_WHY = {
    7: "its signer is not trusted",
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    19: "its signer is not trusted",
    20: "its signer is not trusted",
    62: "it is for another name",
    64: "it is for another name",
}
"""By the number of OpenSSL (X509_V_ERR_...): its own words name hosts."""


def why_refused(error: BaseException | None) -> str | None:
    """Why a certificate was refused, where that is what a client's exception is about."""
    told, seen = None, 0
    while error is not None and seen < CAUSES_MAX:
        if isinstance(error, ssl.SSLCertVerificationError):
            # A client's own exception may be one, too, and know no number: go on to its cause.
            why = _WHY.get(getattr(error, "verify_code", 0), "it is not valid")
            told = f"its certificate is refused: {why}"
        elif isinstance(error, ssl.SSLError):
            told = told or "TLS failed"
        error, seen = error.__cause__ or error.__context__, seen + 1
    return told
