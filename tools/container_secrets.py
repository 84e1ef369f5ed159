"""Makes what the containers are opened with: passwords, certificates, and who may do what.

`python -m tools.container_secrets FOLDER` writes what is missing and keeps the secrets that are
there; with `--renew` all certificates are new. The engines are given hashes of the passwords alone.
"""

import argparse
import base64
import hashlib
import ipaddress
import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TEMPLATES = Path(__file__).parents[1] / "es_templates"
USER = "authmatch"
SERVERS = ("elasticsearch", "redis", "service")
DAYS = 397
"""How long certificates are valid."""
HASHED_TIMES = 10_000
CLOCKS_APART = timedelta(minutes=5)

_PATTERNS = (
    pattern
    for each in TEMPLATES.glob("index-*.json")
    for pattern in json.loads(each.read_bytes())["index_patterns"]
)
INDICES = sorted(each.replace("-v*", "*") for each in _PATTERNS)
"""All that the service has, by the templates that it installs."""
ROLE = f"""\
# What the service needs, and no more.
{USER}:
  cluster: [monitor, manage_index_templates]
  indices:
    - names: {json.dumps(INDICES)}
      privileges: [create_index, manage, read, write]
"""
RIGHTS = "resetchannels ~authmatch:* +@all -@admin -@dangerous +config|get +info"
"""Of Redis: its own keys, and to ask whether Redis keeps what it is given."""

Key = ec.EllipticCurvePrivateKey


def make(folder: Path, *, payer: str, renew: bool = False) -> None:
    """Write the secrets of an installation into a folder that its user alone may enter.

    The files themselves can be read by all, for containers run as other users.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    first = {f"am-start-{secrets.token_urlsafe(32)}": {"payers": [payer], "name": "first"}}
    made = {
        "authmatch_surrogate_key": secrets.token_urlsafe(32),
        "authmatch_api_keys": json.dumps(first),
        "authmatch_elasticsearch_password": secrets.token_urlsafe(32),
        "authmatch_redis_password": secrets.token_urlsafe(32),
    }
    for name, text in made.items():
        if not (folder / name).exists():
            _write(folder / name, text)
    password = (folder / "authmatch_elasticsearch_password").read_text(encoding="ascii")
    _write(folder / "elasticsearch-users", f"{USER}:{_hash_for_elasticsearch(password)}\n")
    _write(folder / "elasticsearch-users-roles", f"{USER}:{USER}\n")
    _write(folder / "elasticsearch-roles.yml", ROLE)
    hashed = hashlib.sha256((folder / "authmatch_redis_password").read_bytes()).hexdigest()
    _write(folder / "redis-users.acl", f"user default off\nuser {USER} on #{hashed} {RIGHTS}\n")
    if renew or not (folder / "ca.pem").exists():
        _make_certificates(folder)


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="ascii")
    file.chmod(0o644)


def _hash_for_elasticsearch(password: str) -> str:
    """A password as the file of users has it."""
    salt = secrets.token_bytes(32)
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, HASHED_TIMES, dklen=32)
    shown = (base64.b64encode(each).decode() for each in (salt, hashed))
    return "{PBKDF2}" + "$".join((str(HASHED_TIMES), *shown))


def _make_certificates(folder: Path) -> None:
    """Write a certificate for each server, and that of their signer, whose key is not kept."""
    signer_key = ec.generate_private_key(ec.SECP256R1())
    signer = _certificate("authmatch containers", signer_key.public_key(), signer_key, None)
    for name in SERVERS:
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _certificate(name, key.public_key(), signer_key, signer)
        _write(folder / f"{name}.pem", _pem(signed))
        written = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        _write(folder / f"{name}.key", written.decode())
    _write(folder / "ca.pem", _pem(signer))


def _certificate(
    name: str, key: ec.EllipticCurvePublicKey, signer_key: Key, signer: x509.Certificate | None
) -> x509.Certificate:
    """A certificate of a server on this machine and in its network; without a signer its own."""
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.subject if signer else subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_APART)
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()),
            critical=False,
        )
        .add_extension(_uses(is_signer=signer is None), critical=True)
    )
    if signer is not None:
        here = ipaddress.ip_address("127.0.0.1")
        names = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(here)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(uses, critical=False)
    return builder.sign(signer_key, hashes.SHA256())


def _uses(*, is_signer: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_signer,
        crl_sign=is_signer,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def main() -> None:
    """Make the secrets of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--payer", default="demo", help="for whom the first API key is")
    parser.add_argument("--renew", action="store_true", help="make new certificates")
    given = parser.parse_args()
    make(given.folder, payer=given.payer, renew=given.renew)


if __name__ == "__main__":
    main()
