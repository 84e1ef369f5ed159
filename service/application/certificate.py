"""The certificate that the service itself shows to callers: read, read again, and judged."""

import ssl
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA1

from service.application.engines import NotConfigured
from service.settings import Settings

log = structlog.get_logger()

SOON = timedelta(days=30)
RSA_BITS_MIN = 2048
Stamps = tuple[tuple[int, int, int], ...]


class ServerCertificate:
    """What is shown at every new connection: the files as they are then, once both fit.

    Connections that are open go on, and nothing has to be told to the process.
    """

    def __init__(self, certificate: str, key: str | None) -> None:
        """Read both files (PEM; the key not encrypted); raises NotConfigured."""
        self._files = (certificate, key or certificate)
        self._stamps = self._looked_at()
        try:
            self.listening = self._current = self._read()
        except OSError as error:
            files = " and ".join(dict.fromkeys(self._files))
            raise NotConfigured(
                f"AUTHMATCH_TLS_CERT: {files} are no certificate with its key"
            ) from error
        self.listening.sni_callback = self._show

    def _show(self, connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        """Show what is in the files now; what cannot be used leaves that of before."""
        stamps = self._looked_at()
        if stamps != self._stamps:
            self._stamps = stamps
            try:
                self._current = self._read()
            except OSError:
                log.warning("certificate_refused")
            else:
                log.info("certificate_read")
        connection.context = self._current

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # Without a password OpenSSL would ask whoever sits at the terminal.
        context.load_cert_chain(*self._files, password="")
        return context

    def _looked_at(self) -> Stamps:
        try:
            found = [Path(file).stat() for file in self._files]
        except OSError:
            return ()
        return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in found)


@dataclass(frozen=True, slots=True)
class Judged:
    """A certificate: until when it is valid, and what is wrong or weak in it."""

    valid_until: datetime
    wrong: tuple[str, ...]
    weak: tuple[str, ...]


def judge(settings: Settings, certificate: str) -> Judged:
    """Look at the certificate of the settings as its callers will; raises NotConfigured."""
    ServerCertificate(certificate, settings.tls_key)
    shown = x509.load_pem_x509_certificates(Path(certificate).read_bytes())[0]
    public = urlsplit(settings.public_url or "").hostname
    return Judged(
        valid_until=shown.not_valid_after_utc,
        wrong=tuple(_wrong(shown)),
        weak=tuple(_weak(shown, Path(settings.tls_key or certificate), public)),
    )


def _wrong(shown: x509.Certificate) -> Iterator[str]:
    now = datetime.now(UTC)
    if shown.not_valid_after_utc <= now:
        yield "it has expired"
    if shown.not_valid_before_utc > now:
        yield "it is not valid yet"


def _weak(shown: x509.Certificate, key_file: Path, public: str | None) -> Iterator[str]:
    if shown.not_valid_after_utc < datetime.now(UTC) + SOON:
        yield "it ends soon"
    key = shown.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS_MIN:
        yield f"its key has {key.key_size} bits"
    if isinstance(key, dsa.DSAPublicKey) or isinstance(shown.signature_hash_algorithm, MD5 | SHA1):
        yield "it is signed in a way that is broken"
    if key_file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield "everybody of this machine can read its key"
    if public is not None and not _is_for(shown, public):
        yield f"it is not for {public}"


def _is_for(shown: x509.Certificate, host: str) -> bool:
    try:
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    domains = [each.lower() for each in names.get_values_for_type(x509.DNSName)]
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    return bool({host, f"*.{host.partition('.')[2]}"} & {*domains, *addresses})
