"""Commands that ask a service which runs: they have its address and a key, and nothing else."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.cli.conftest import EXAMPLES, Authmatch
from tests.ground import Ground
from tests.redis_process import free_port
from tests.serving import client_of, keys_of, serving

CLAIM = EXAMPLES / "claim-professional.json"
FILE = EXAMPLES / "claim.837"
KEY = f"a-key-of-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def url(ground: Ground) -> Iterator[str]:
    """A service that has the examples of the documentation."""
    keys = keys_of({KEY: f"p-{uuid.uuid4().hex[:12]}"})
    with (
        serving(ground.settings.model_copy(update={"api_keys": keys})) as url,
        client_of(url, KEY) as client,
    ):
        content = (EXAMPLES / "authorizations.ndjson").read_bytes()
        kind = {"Content-Type": "application/x-ndjson"}
        assert client.post("/authorizations/bulk", content=content, headers=kind).is_success
        yield url


@pytest.fixture
def asking(authmatch: Authmatch, url: str, monkeypatch: pytest.MonkeyPatch) -> Authmatch:
    """The command, with the address and the key."""
    monkeypatch.setenv("AUTHMATCH_SERVICE_URL", url)
    monkeypatch.setenv("AUTHMATCH_SERVICE_KEY", KEY)
    return authmatch


def same(told: dict[str, Any]) -> dict[str, Any]:
    """An answer without how long it took."""
    return {name: each for name, each in told.items() if name not in ("took_ms", "replayed")}


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("match",), "/match"),
        (("match", "--balances"), "/match?balances=true"),
        (("adjudicate", "--dry-run"), "/adjudicate?dry_run=true"),
        (("adjudicate",), "/adjudicate"),
        (("adjudicate",), "/adjudicate"),
    ],
)
def test_a_program_gets_what_the_service_says(
    asking: Authmatch, url: str, words: tuple[str, ...], path: str
) -> None:
    """A claim of a file or of stdin; what was adjudicated is told again."""
    told = asking(*words, CLAIM, "--json")
    again = asking(*words, "-", "--json", stdin=CLAIM.read_bytes())
    with client_of(url, KEY) as client:
        said = client.post(path, content=CLAIM.read_bytes()).json()

    assert (told.exit_code, told.stderr) == (0, "")
    assert same(json.loads(told.stdout)) == same(json.loads(again.stdout)) == same(said)


def test_a_person_sees_what_is_shown_of_it_here(asking: Authmatch) -> None:
    """The same tables."""
    matched = asking("match", CLAIM).stdout
    why = asking("why-not", CLAIM, "--line", "1", "--number", "AU-00131").stdout
    assert "authorization: exact" in " ".join(matched.split())
    assert why.startswith("Line 1 of")
    assert "template professional" in why


def test_the_claims_of_an_837_are_answered_line_by_line(asking: Authmatch) -> None:
    """For a program; those that cannot be read have exit code 1."""
    told = asking("match", FILE, "--json")
    lines = [json.loads(each) for each in told.stdout.splitlines()]
    assert (told.exit_code, [bool(each["answer"]["lines"]) for each in lines]) == (0, [True])
    broken = asking("match", "-", "--json", stdin=FILE.read_bytes().replace(b"DMG*", b"CLM*"))
    assert (broken.exit_code, '"problem":' in broken.stdout) == (1, True)


@pytest.mark.parametrize("file", [CLAIM, FILE])
def test_what_is_too_long_is_not_sent_in_part(
    asking: Authmatch, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    """JSON or X12."""
    monkeypatch.setattr("service.cli.claim_file.BYTES_MAX", 100)
    refused = asking("match", file, "--json")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == f"error: {file}: longer than 100 bytes\n"


class _Stranger(BaseHTTPRequestHandler):
    """Answers with the status and the body that its path asks for."""

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(int(self.path.split("/")[1]))
        self.end_headers()
        self.wfile.write({"html": b"<html>", "none": b""}[self.path.split("/")[2]])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def stranger() -> Iterator[str]:
    """What is no service, though it speaks HTTP."""
    with HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--payer", "P1"), 2, "--payer: a service answers for the payer of the key"),
        (("--service", "http://example.org"), 2, "--service: an address with https"),
        (("--service", "ftp://127.0.0.1"), 2, "--service: an address with https"),
        (("--service", f"http://127.0.0.1:{free_port()}"), 3, "the service: did not answer at"),
        (("--service", "http://127.0.0.1:99999"), 3, "the service: did not answer at"),
        (("--service", "https://\u00e4\u00e4.invalid/\u00e4"), 3, "the service: did not answer at"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_line(
    asking: Authmatch, words: tuple[str, ...], code: int, said: str
) -> None:
    """Bad input is 2, a service that is away 3."""
    refused = asking("match", CLAIM, *words)
    assert (refused.exit_code, refused.stdout) == (code, "")
    assert refused.stderr.startswith(f"error: {said}")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("path", ["200/html", "200/none", "302/none", "404/html", "500/html"])
def test_a_stranger_is_no_service(asking: Authmatch, path: str) -> None:
    """Whatever it says is no answer."""
    with stranger() as there:
        refused = asking("match", CLAIM, "--service", f"{there}/{path}")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr.startswith("error: the service: what answers in its place says")


def test_what_the_service_refuses_is_told_in_its_words(
    asking: Authmatch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key that is not known, a claim that was adjudicated otherwise, a file without --json."""
    claim = json.loads(CLAIM.read_text(encoding="utf-8")) | {"claim_id": uuid.uuid4().hex}
    assert asking("adjudicate", "-", stdin=json.dumps(claim)).exit_code == 0
    claim["lines"] = claim["lines"][:1]
    other = asking("adjudicate", "-", stdin=json.dumps(claim))
    assert (other.exit_code, other.stderr[:28]) == (2, "error: the service says 409:")
    assert (plain := asking("match", FILE)).exit_code == 2
    assert plain.stderr.startswith("error: --json: a service answers an 837 file")
    (tmp_path / "empty.json").write_text("")
    assert asking("match", tmp_path / "empty.json").exit_code == 2
    monkeypatch.setenv("AUTHMATCH_SERVICE_KEY", "a-key-that-nobody-ever-made")
    unknown = asking("match", CLAIM)
    assert (unknown.exit_code, unknown.stderr[:28]) == (2, "error: the service says 401:")
