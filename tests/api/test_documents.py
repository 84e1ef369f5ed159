"""Authorizations entered by hand, and the documents that show them: told, sealed, audited."""

import asyncio
import base64
import hashlib
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.application.parts import Stores
from service.settings import Settings, StartKey
from tests.api.bodies import Fields, authorization_body, claim_body
from tests.builders import QUERIES
from tests.ground import Ground
from tests.papers import JPEG, PAPERS, PDF, PNG, TIFF
from tests.serving import client_of, serving

BYTES_MAX = 4096
SCANNER = """
import sys
content = sys.stdin.buffer.read()
sys.exit(1 if b"EICAR" in content else 3 if b"BROKEN" in content else 0)
"""
LETTER, BOTH = "letter", "both"
CALLERS = 40


@dataclass
class Desk:
    """A service with a folder for documents, a key that seals and a scanner; and payers."""

    url: str
    settings: Settings
    payers: list[str]
    ends: ExitStack

    @property
    def folder(self) -> Path:
        """Where the documents are."""
        assert self.settings.documents_dir is not None
        return self.settings.documents_dir

    def callers(self) -> tuple[httpx.Client, httpx.Client]:
        """Two people of a payer that no other test has."""
        payer = self.payers.pop()
        callers = (client_of(self.url, f"{name}-{payer}") for name in ("ann", "kim"))
        ann, kim = map(self.ends.enter_context, callers)
        return ann, kim


def opened(ground: Ground, folder: Path, policy: str) -> Iterator[Desk]:
    """A desk whose payers want a letter alone, or a second look, too."""
    (folder / "seal.keys").write_text(base64.b64encode(b"k" * 32).decode())
    (folder / "scanner.py").write_text(SCANNER)
    payers = [f"pa-{uuid.uuid4().hex[:10]}" for _ in range(CALLERS)]
    keys = {
        SecretStr(f"{name}-{payer}"): StartKey(payers=(payer,), name=name)
        for payer in payers
        for name in ("ann", "kim")
    }
    changes: dict[str, Any] = {
        "api_keys": keys,
        "documents_dir": folder / "documents",
        "document_bytes_max": BYTES_MAX,
        "document_scan_command": f"{sys.executable} -I {folder / 'scanner.py'}",
        "seal_keys_file": folder / "seal.keys",
        "alerts_look_s": 0,
        "ledger_sweep_s": 3600,
    }
    if policy == BOTH:
        rules = folder / "queries"
        shutil.copytree(QUERIES, rules)
        file = rules / "reference" / "manual-entry.yaml"
        file.write_text(file.read_text().replace("second_look: false", "second_look: true"))
        changes["queries_dir"] = rules
    settings = ground.settings.model_copy(update=changes)
    with serving(settings) as url, ExitStack() as ends:
        yield Desk(url, settings, payers, ends)


@pytest.fixture(scope="module")
def desk(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Where a letter is enough."""
    yield from opened(ground, tmp_path_factory.mktemp(LETTER), LETTER)


@pytest.fixture(scope="module")
def strict(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Where somebody else must look at it."""
    yield from opened(ground, tmp_path_factory.mktemp(BOTH), BOTH)


def entry(content: bytes | None = None, **changes: Any) -> Fields:
    """What a person enters: number, member, days, units, codes; perhaps the letter."""
    body = authorization_body(limits={"units": "20", "unit": "UN"}, **changes)
    for name in ("version", "decision"):
        body.pop(name)
    letter = {} if content is None else {"document": base64.b64encode(content).decode()}
    return {"authorization": body, **letter}


def attach(caller: httpx.Client, content: bytes, said: str = "", **query: str) -> httpx.Response:
    """Add a document to the authorization."""
    headers = {"content-type": said} if said else {}
    path = "/authorizations/A1/documents"
    return caller.post(path, content=content, headers=headers, params=query)


def status(caller: httpx.Client) -> str:
    """How the authorization stands."""
    found = caller.get("/authorizations/A1", params={"on": "2026-04-01"}).json()
    return f"{found['state']['status']} {found['authorization'].get('status')}"


def drawn(caller: httpx.Client) -> str:
    """What becomes of a claim of it."""
    answer = caller.post("/adjudicate", json=claim_body(claim_id=uuid.uuid4().hex))
    return str(answer.json()["lines"][0]["disposition"])


def test_an_entry_counts_with_its_letter(desk: Desk) -> None:
    """At once where it comes with it, else when it is added; until then nothing is drawn."""
    at_once, _ = desk.callers()
    made = at_once.post("/manual-entries", json=entry(PDF))
    assert (made.status_code, made.json()["status"]) == (201, "ENTERED")
    assert (status(at_once), drawn(at_once)) == ("ACTIVE None", "pay")

    later, _ = desk.callers()
    made = later.post("/manual-entries", json=entry())
    assert (made.json()["status"], made.json()["waits_for"]) == ("MANUAL_PENDING", ["document"])
    assert (status(later), drawn(later)) == ("PENDING MANUAL_PENDING", "suspend")
    added = attach(later, PNG, "image/png", kind="portal").json()
    assert (added["entry"]["version"], added["entry"]["status"]) == (2, "ENTERED")
    assert (status(later), drawn(later)) == ("ACTIVE None", "pay")
    (told,) = later.get("/authorizations/A1/documents").json()["documents"]
    assert told["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (told["by"], told["kind"], told["is_scanned"]) == ("key:ann", "portal", True)
    assert later.post("/manual-entries/A1/confirm", json={}).status_code == 409


def test_a_second_person_must_look_where_that_is_wanted(strict: Desk) -> None:
    """Another one than who entered it, and once its document is there."""
    ann, kim = strict.callers()
    made = ann.post("/manual-entries", json=entry()).json()
    assert made["waits_for"] == ["document", "second-look"]
    assert kim.post("/manual-entries/A1/confirm", json={}).status_code == 409
    assert attach(ann, TIFF).json()["entry"]["waits_for"] == ["second-look"]
    own = ann.post("/manual-entries/A1/confirm", json={})
    assert (own.status_code, "second person" in own.json()["detail"]) == (409, True)
    assert ann.post("/manual-entries/A1/confirm", json={"by": "somebody"}).status_code == 409
    assert status(ann) == "PENDING MANUAL_PENDING"

    done = kim.post("/manual-entries/A1/confirm", json={"reason": "as the letter says"})
    assert (done.status_code, done.json()["status"]) == (200, "ENTERED")
    assert status(kim) == "ACTIVE None"
    told = kim.get("/authorizations/A1").json()["authorization"]["attached"]
    assert (told["entered_by"], told["confirmed_by"]) == ("key:ann", "key:kim")
    versions = kim.get("/authorizations/A1/versions").json()["versions"]
    assert [each["state"]["version"] for each in versions] == [2, 1]


def test_an_entry_that_is_refused_is_void(strict: Desk) -> None:
    """With a reason; its document stays, and nobody can confirm it."""
    ann, kim = strict.callers()
    ann.post("/manual-entries", json=entry(JPEG))
    assert kim.post("/manual-entries/A1/refuse", json={}).status_code == 422
    assert kim.post("/manual-entries/A1/refuse", json={"reason": "a forgery"}).status_code == 200
    assert status(kim).startswith("VOID")
    assert kim.post("/manual-entries/A1/confirm", json={}).status_code == 409
    assert len(kim.get("/authorizations/A1/documents").json()["documents"]) == 1


@pytest.mark.parametrize(
    ("content", "said", "code", "why"),
    [
        (b"", "application/pdf", 422, "it is empty"),
        (PDF, "image/png", 422, "it is sent as image/png, and is application/pdf"),
        (b"MZ" + PDF, "application/pdf", 422, "it is none of PDF, JPEG, PNG and TIFF"),
        (JPEG[:-2], "image/jpeg", 422, "it breaks off"),
        (PDF + b"x" * BYTES_MAX, "application/pdf", 413, "at most 4096 bytes"),
        (PDF[:-6] + b"EICAR%%EOF", "application/pdf", 422, "the scanner refuses it"),
        (PDF[:-6] + b"BROKEN%%EOF", "application/pdf", 503, "exit code 3"),
    ],
    ids=["empty", "lies", "a program", "breaks off", "huge", "infected", "scanner broken"],
)
def test_what_cannot_be_a_document_is_refused(
    desk: Desk, content: bytes, said: str, code: int, why: str
) -> None:
    """With true words; nothing of it is kept, and the entry still waits."""
    ann, _ = desk.callers()
    ann.post("/manual-entries", json=entry())
    before = sorted(desk.folder.rglob("*"))
    answer = attach(ann, content, said)
    assert (answer.status_code, why in answer.json()["detail"]) == (code, True), answer.text
    assert sorted(desk.folder.rglob("*")) == before
    assert ann.get("/authorizations/A1/documents").json()["documents"] == []
    assert status(ann) == "PENDING MANUAL_PENDING"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"version": 2}, "/authorization/version"),
        ({"decision": {"action": "A4"}}, "/authorization/decision/action"),
        ({"status": "ok"}, "/authorization/status"),
        ({"attached": {"entered_by": "me"}}, "/authorization/attached/entered_by"),
        ({"lines": [{"line": 1, "decision": {"action": "A3"}}]}, "/authorization/lines/0/decision"),
        ({"effective": None}, "/authorization/lines/0/effective"),
        ({"member": {}}, "/authorization/member/id"),
    ],
)
def test_what_cannot_be_entered_is_refused(desk: Desk, changes: Fields, path: str) -> None:
    """With its place; nothing is stored, and it is no dead letter."""
    ann, _ = desk.callers()
    body = entry(PDF)
    body["authorization"] |= changes
    answer = ann.post("/manual-entries", json=body)
    assert answer.status_code == 422, answer.text
    assert path in {each["path"] for each in answer.json()["errors"]}
    assert ann.get("/authorizations/A1").status_code == 404
    assert ann.get("/dead-letters").json()["dead_letters"] == []


def test_what_is_there_is_not_entered_again(desk: Desk) -> None:
    """Neither under its id, nor the same number of the person under another; documents may come
    twice.
    """
    ann, _ = desk.callers()
    assert ann.post("/manual-entries", json=entry(PDF)).status_code == 201
    same = ann.post("/manual-entries", json=entry(PDF))
    number = ann.post("/manual-entries", json=entry(PDF, authorization_id="A2"))
    assert (same.status_code, number.status_code) == (409, 409)
    again, other = attach(ann, PDF), attach(ann, PNG)
    assert (again.status_code, other.status_code) == (200, 201)
    assert len(ann.get("/authorizations/A1/documents").json()["documents"]) == 2
    assert attach(ann, PDF).status_code == 200
    assert ann.get("/authorizations/A9/documents").status_code == 404


@pytest.mark.parametrize("media_type", PAPERS)
def test_a_document_is_read_as_it_was_added_and_kept_sealed(desk: Desk, media_type: str) -> None:
    """By who may; a browser runs nothing of it; who saw it is in the trail, with its hash."""
    ann, kim = desk.callers()
    content = PAPERS[media_type]
    ann.post("/manual-entries", json=entry(content))
    (told,) = ann.get("/authorizations/A1/documents").json()["documents"]
    read = kim.get(f"/documents/{told['document_id']}")

    assert (read.content, read.headers["content-type"]) == (content, media_type)
    assert read.headers["content-disposition"].startswith("attachment; filename=")
    assert "sandbox" in read.headers["content-security-policy"]
    payer = kim.get("/session").json()["payer"]
    (file,) = (desk.folder / payer).rglob(told["sha256"])
    assert content not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    rows = ann.get("/audit").json()["rows"]
    saw = [each for each in rows if each["what"] == "GET /documents/{document_id}"]
    assert [(each["by"], each["others"]) for each in saw] == [("key:kim", [told["sha256"]])]
    entered = [each for each in rows if each["what"] == "POST /manual-entries"]
    assert told["sha256"] in entered[0]["others"]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert kim.get(f"/documents/{told['document_id']}").status_code == 503
    file.unlink()
    assert kim.get(f"/documents/{told['document_id']}").status_code == 503


def test_documents_come_under_the_first_key(desk: Desk, ground: Ground, tmp_path: Path) -> None:
    """After a change of keys, by the same command as all else that is sealed."""
    ann, _ = desk.callers()
    ann.post("/manual-entries", json=entry(PDF))
    payer = ann.get("/session").json()["payer"]
    file = next(each for each in (desk.folder / payer).rglob("*") if each.is_file())
    before = file.read_bytes()
    keys = tmp_path / "seal.keys"
    keys.write_text("\n".join(base64.b64encode(each * 32).decode() for each in (b"n", b"k")))
    settings = desk.settings.model_copy(update={"seal_keys_file": keys})

    async def seal(stores: Stores) -> tuple[int, bytes, int]:
        first = sum(stores.documents.reseal())
        (one,) = await stores.documents.of(payer, "A1")
        return first, await stores.documents.content(payer, one), sum(stores.documents.reseal())

    async def scenario() -> tuple[int, bytes, int]:
        async with ground.stores(settings) as stores:
            return await seal(stores)

    count, content, again = asyncio.run(scenario())
    assert (count >= 1, content, again) == (True, PDF, 0)
    assert file.read_bytes() != before


def test_an_entry_without_a_document_is_an_alert(desk: Desk, ground: Ground) -> None:
    """Days later; it is over as soon as one comes."""
    ann, _ = desk.callers()
    body = entry(received_at="2026-01-01T00:00:00Z")
    assert ann.post("/manual-entries", json=body).status_code == 201
    payer = ann.get("/session").json()["payer"]
    source = ann.get("/authorizations/A1").json()["authorization"]
    source["attached"]["entered_at"] = "2026-01-05T10:00:00.000+00:00"
    assert ann.put("/authorizations/A1", json={**source, "version": 2}).status_code == 200
    ground.run(lambda stores: stores.alerts.evaluating.look(payer))

    told = {each["kind"]: each["day"] for each in ann.get("/alerts").json()["alerts"]}
    assert told == {"document-missing": "2026-01-05", "pended": "2026-01-01"}
    attach(ann, PDF)
    assert ann.get("/alerts").json()["alerts"] == []


def test_without_a_folder_no_document_is_taken(ground: Ground, payer: str) -> None:
    """It is said what to configure; nothing is entered."""
    keys = {SecretStr("k"): StartKey(payers=(payer,))}
    changes = {"api_keys": keys, "alerts_look_s": 0, "documents_dir": None}
    settings = ground.settings.model_copy(update=changes)
    with serving(settings) as url, client_of(url, "k") as caller:
        answer = caller.post("/manual-entries", json=entry(PDF))
        assert (answer.status_code, "AUTHMATCH_DOCUMENTS_DIR" in answer.text) == (503, True)
        assert caller.get("/authorizations/A1").status_code == 404
