"""Certificates of every kind that a server may show, by a signer of the tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

HERE = ("localhost", "127.0.0.1")

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Pair:
    """Files of a certificate and of its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Signer:
    """Signs what it is asked for, into a folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, folder: Path) -> "Signer":
        """One that nobody else knows."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer of the tests")])
        made = _builder(name, name, key, 1, 0).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        signer = cls(folder, key, made.sign(key, hashes.SHA256()))
        folder.mkdir(exist_ok=True)
        signer.file.write_bytes(signer.certificate.public_bytes(serialization.Encoding.PEM))
        return signer

    @property
    def file(self) -> Path:
        """The file with its own certificate."""
        return self.folder / "signer.pem"

    def issue(
        self,
        name: str,
        *,
        hosts: Sequence[str] = HERE,
        days: float = 90,
        since: float = 1,
        key: Key | None = None,
        password: bytes | None = None,
    ) -> Pair:
        """A certificate that began so many days ago, and ends in so many."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [
            x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
            for host in hosts
        ]
        builder = _builder(subject, self.certificate.subject, key, days, since)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        kept: Any = serialization.NoEncryption()
        if password:
            kept = serialization.BestAvailableEncryption(password)
        pair.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept)
        )
        pair.key.chmod(0o600)
        return pair


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, days: float, since: float
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=since, minutes=5))
        .not_valid_after(now + timedelta(days=days))
    )
