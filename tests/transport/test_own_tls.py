"""The service by TLS: what it shows, and a new certificate while callers are being answered."""

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from typer.testing import CliRunner

from service.application.certificate import judge
from service.application.engines import NotConfigured
from service.cli import app
from service.settings import Settings
from tests.api.bodies import authorization_body, claim_body
from tests.api.service_process import ServiceProcess
from tests.certificates import Pair, Signer
from tests.ground import Ground
from tests.redis_process import free_port

KEY = "a-long-key-of-the-tests-of-tls"


def serial_of(pair: Pair) -> int:
    """The number of a certificate."""
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number


@dataclass
class Served:
    """A service of two workers, and the files that it shows."""

    url: str
    port: int
    files: Pair
    trust: ssl.SSLContext
    written: set[int]

    def client(self) -> httpx.Client:
        """A caller with a connection of its own."""
        return httpx.Client(
            base_url=self.url,
            verify=self.trust,
            headers={"X-API-Key": KEY},
            trust_env=False,
            timeout=30,
        )

    def serial(self, version: ssl.TLSVersion | None = None) -> int:
        """The number of the certificate that a new connection is shown."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if version is not None:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", self.port), 10) as line,
            context.wrap_socket(line) as shown,
        ):
            der = shown.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der).serial_number

    def serials(self) -> set[int]:
        """Those of many new connections, to all workers."""
        return {self.serial() for _ in range(12)}

    def write(self, pair: Pair) -> None:
        """Put another certificate in place, as one that renews them does."""
        self.written.add(serial_of(pair))
        for old, new in ((self.files.certificate, pair.certificate), (self.files.key, pair.key)):
            beside = old.with_suffix(".new")
            beside.write_bytes(new.read_bytes())
            beside.replace(old)


@pytest.fixture(scope="module")
def served(ground: Ground, signer: Signer) -> Iterator[Served]:
    """Started once, as `authmatch serve` does it, and changed by the tests."""
    files = signer.issue("shown")
    settings = ground.settings.model_copy(update={"open_profile": False})
    service = ServiceProcess(
        settings,
        workers=2,
        trust=signer.file,
        AUTHMATCH_TLS_CERT=str(files.certificate),
        AUTHMATCH_TLS_KEY=str(files.key),
        AUTHMATCH_API_KEYS=f'{{"{KEY}": "tls"}}',
    )
    with service:
        port = int(service.url.rpartition(":")[2])
        trust = ssl.create_default_context(cafile=signer.file)
        yield Served(service.url, port, files, trust, {serial_of(files)})


@pytest.mark.engines
def test_callers_are_served_by_tls_and_told_to_stay_there(served: Served) -> None:
    """Claims as ever, and the header by which browsers never come by plain HTTP again."""
    with served.client() as caller:
        assert caller.put("/authorizations/A1", json=authorization_body()).status_code == 201
        answer = caller.post("/match", json=claim_body())

    assert answer.json()["lines"][0]["results"][0]["class"] == "exact"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.engines
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_what_is_older_than_tls_1_2_is_refused(served: Served, version: ssl.TLSVersion) -> None:
    """And plain HTTP, too."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        served.serial(version)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{served.port}/health/live", trust_env=False)


@pytest.mark.engines
def test_a_new_certificate_is_shown_by_all_workers_and_drops_no_request(
    served: Served, signer: Signer
) -> None:
    """Callers go on meanwhile: on connections from before, and on new ones."""
    before = served.serials()
    stop, statuses, faults = threading.Event(), list[int](), list[Exception]()

    def call(*, anew: bool) -> None:
        with served.client() as kept:
            while not stop.is_set():
                try:
                    if anew:
                        with served.client() as caller:
                            statuses.append(caller.get("/claims/none").status_code)
                    else:
                        statuses.append(kept.get("/claims/none").status_code)
                except httpx.TransportError as error:
                    faults.append(error)

    callers = [threading.Thread(target=call, kwargs={"anew": each}) for each in (True, False)]
    for each in callers:
        each.start()
    try:
        shown = []
        for number in range(3):
            served.write(
                signer.issue(f"next-{number}", key=ec.generate_private_key(ec.SECP384R1()))
            )
            shown.append(served.serials())
    finally:
        stop.set()
        for each in callers:
            each.join()

    assert [len(each) for each in (before, *shown)] == [1, 1, 1, 1]
    assert len(set().union(before, *shown)) == 4
    assert faults == []
    assert set(statuses) == {404}


BROKEN = {
    "half of it": lambda files, _: files.certificate.write_bytes(
        files.certificate.read_bytes()[:200]
    ),
    "empty": lambda files, _: files.certificate.write_bytes(b""),
    "gone": lambda files, _: files.certificate.unlink(),
    "key of another": lambda files, other: files.key.write_bytes(other.key.read_bytes()),
}


@pytest.mark.engines
@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_files_that_do_not_fit_leave_the_certificate_of_before(
    served: Served, signer: Signer, spoil: Any
) -> None:
    """Also while only one of both is written; what is right is shown as soon as it is there."""
    right = signer.issue("right")
    served.write(right)
    assert served.serials() == {serial_of(right)}

    spoil(served.files, signer.issue("another"))
    # A worker that nobody came to meanwhile shows one of before that.
    assert served.serials() <= served.written

    mended = signer.issue("mended")
    served.write(mended)
    assert served.serials() == {serial_of(mended)}


@pytest.mark.parametrize("kind", ["missing", "of another", "encrypted", "no certificate"])
def test_files_that_cannot_be_used_keep_the_service_from_starting(
    signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """One line with the paths, before an engine is asked; nobody is asked for a password."""
    pair = signer.issue("start", password=b"long" if kind == "encrypted" else None)
    certificate, key = pair.certificate, pair.key
    if kind == "missing":
        certificate = tmp_path / "nowhere.pem"
    elif kind == "of another":
        key = signer.issue("stranger").key
    elif kind == "no certificate":
        certificate = pair.key
    monkeypatch.setenv("AUTHMATCH_TLS_CERT", str(certificate))
    monkeypatch.setenv("AUTHMATCH_TLS_KEY", str(key))
    result = CliRunner().invoke(app, ["serve", "--port", str(free_port())])

    assert result.exit_code == 2
    assert "AUTHMATCH_TLS_CERT" in result.stderr
    assert certificate.name in result.stderr


def weak_kinds(signer: Signer) -> dict[str, tuple[Pair, str | None, list[str], list[str]]]:
    """Certificates, the host of browsers, what is wrong and what is weak in them."""
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that it is weak is the point
    loose = signer.issue("loose")
    loose.key.chmod(0o644)
    return {
        "sound": (signer.issue("w1"), None, [], []),
        "sound, RSA": (
            signer.issue("w2", key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            None,
            [],
            [],
        ),
        "expired": (signer.issue("w3", days=-1, since=9), None, ["has expired"], ["ends soon"]),
        "of tomorrow": (signer.issue("w4", since=-1), None, ["is not valid yet"], []),
        "ends in a week": (signer.issue("w5", days=7), None, [], ["ends soon"]),
        "a key that is read by all": (loose, None, [], ["can read its key"]),
        "small key": (signer.issue("w6", key=small), None, [], ["1024 bits"]),
        "other host": (signer.issue("w7"), "https://auth.example", [], ["not for auth.example"]),
        "its host": (
            signer.issue("w8", hosts=["auth.example"]),
            "https://auth.example:8443",
            [],
            [],
        ),
        "all hosts": (signer.issue("w9", hosts=["*.example"]), "https://auth.example", [], []),
        "all but this": (
            signer.issue("w10", hosts=["*.example"]),
            "https://a.b.example",
            [],
            ["not for a.b.example"],
        ),
    }


def test_what_is_wrong_or_weak_in_a_certificate_is_known(signer: Signer) -> None:
    """As the doctor shows it; a key of 1,024 bits OpenSSL itself may refuse."""
    for kind, (pair, public, wrong, weak) in weak_kinds(signer).items():
        settings = Settings(tls_key=str(pair.key), public_url=public)
        try:
            found = judge(settings, str(pair.certificate))
        except NotConfigured:
            assert kind == "small key"
            continue
        for said, wanted in ((found.wrong, wrong), (found.weak, weak)):
            assert len(said) == len(wanted), (kind, said)
            assert all(each in one for each, one in zip(wanted, said, strict=True)), (kind, said)
