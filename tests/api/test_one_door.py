"""FHIR by every way in: the same document has the same outcome, whatever way it came."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.api.bodies import authorization_body
from tests.api.conftest import Service
from tests.api.test_fhir_intake import FHIR, STREAM, granted
from tests.ground import Ground
from tests.ingest.fhir.papers import Json, packed
from tests.serving import client_of

NOBODY = packed(granted(patient={"reference": "Patient/nobody"}))


@dataclass
class Entry:
    """All that a way in needs: a caller, the payer it calls for, and a place for files."""

    caller: httpx.Client
    payer: str
    folder: Path


Outcome = tuple[str, set[str]]
"""What became of the only authorization, and the places of what is said of it."""


@pytest.fixture
def entry(
    service: Service, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Entry]:
    """A payer of this test alone, over HTTP and by the command."""
    for name in [name for name in os.environ if name.startswith("AUTHMATCH_")]:
        monkeypatch.delenv(name)
    key = service.keys.pop()
    payer = key.replace("key", "payer")
    monkeypatch.setenv("AUTHMATCH_ELASTICSEARCH_URL", str(ground.settings.elasticsearch_url))
    monkeypatch.setenv("AUTHMATCH_REDIS_URL", str(ground.settings.redis_url))
    monkeypatch.setenv("AUTHMATCH_INDEX_PREFIX", ground.settings.index_prefix)
    monkeypatch.setenv("AUTHMATCH_DEFAULT_PAYER", payer)
    with client_of(service.url, key) as caller:
        yield Entry(caller, payer, tmp_path)


def of_outcome(outcome: Json) -> Outcome:
    """Read an OperationOutcome; how a letter is kept is left out."""
    codes = [each["details"]["coding"][0]["code"] for each in outcome["issue"]]
    places = {
        each["diagnostics"].removeprefix("JSON pointer: ")
        for each in outcome["issue"]
        if each["severity"] == "warning"
    }
    return codes[0], places


def of_result(result: Json) -> Outcome:
    """Read a result as JSON."""
    return result["status"], {each["path"] for each in result.get("warnings", ())}


def by_document(entry: Entry, content: bytes) -> Outcome:
    """POST /fhir."""
    return of_outcome(entry.caller.post("/fhir", content=content, headers=FHIR).json())


def by_stream(entry: Entry, content: bytes) -> Outcome:
    """POST /fhir, one resource a line."""
    answer = entry.caller.post("/fhir", content=content, headers=STREAM)
    return of_outcome(json.loads(answer.text))


def by_bulk(entry: Entry, content: bytes) -> Outcome:
    """POST /authorizations/bulk, told by its content."""
    answer = entry.caller.post("/authorizations/bulk", content=content)
    return of_result(json.loads(answer.text))


def by_bulk_as_fhir(entry: Entry, content: bytes) -> Outcome:
    """POST /authorizations/bulk, said to be FHIR."""
    answer = entry.caller.post("/authorizations/bulk", content=content, headers=FHIR)
    return of_result(json.loads(answer.text))


def by_load(entry: Entry, content: bytes) -> Outcome:
    """`authmatch load`."""
    file = entry.folder / "document.json"
    file.write_bytes(content)
    loaded = CliRunner().invoke(app, ["load", str(file), "--json"])
    assert loaded.exit_code == 0, loaded.stderr
    return of_result(json.loads(loaded.stdout))


def by_retry(entry: Entry, content: bytes) -> Outcome:
    """A dead letter that is tried again with the right content."""
    entry.caller.post("/fhir", content=json.dumps(NOBODY).encode(), headers=FHIR)
    (letter,) = entry.caller.get("/dead-letters", params={"status": "open"}).json()["dead_letters"]
    retried = entry.caller.post(f"/dead-letters/{letter['id']}/retry", content=content).json()
    assert retried["status"] == "resolved"
    (result,) = retried["results"]
    return of_result(result)


WAYS = pytest.mark.parametrize(
    "way", [by_document, by_stream, by_bulk, by_bulk_as_fhir, by_load, by_retry]
)
Way = Callable[[Entry, bytes], Outcome]


@WAYS
def test_the_shape_is_checked_whatever_way_it_came(entry: Entry, way: Way) -> None:
    """It is taken, and what a strict reader of R4 would miss is said with its place."""
    content = json.dumps(packed(granted(insurer=None))).encode()

    assert way(entry, content) == ("created", {"/entry/0/resource/insurer"})
    assert entry.caller.get("/authorizations").json()["total"] == 1


@WAYS
def test_what_was_given_out_is_known_again_whatever_way_it_came(entry: Entry, way: Way) -> None:
    """It says less than what was pushed, and is neither a conflict nor laid over it."""
    entry.caller.put("/authorizations/A1", json=authorization_body(notes=[{"text": "keep"}]))
    (given,) = entry.caller.get("/fhir/ClaimResponse", params={"_id": "A1"}).json()["entry"]

    status, _ = way(entry, json.dumps(given["resource"]).encode())

    assert status == "unchanged"
    stored = entry.caller.get("/authorizations/A1").json()
    assert stored["authorization"]["notes"] == [{"text": "keep"}]
    given["resource"]["preAuthRef"] = "other"
    given["resource"]["item"][0]["adjudication"][0]["extension"] = []
    assert by_bulk(entry, json.dumps(given["resource"]).encode())[0] == "conflict"


@pytest.mark.parametrize("way", [by_document, by_stream, by_bulk, by_bulk_as_fhir])
def test_what_is_refused_is_kept_as_fhir_whatever_way_it_came(entry: Entry, way: Way) -> None:
    """So it is read as FHIR when it is tried again."""
    content = json.dumps(NOBODY).encode()
    way(entry, content)

    (letter,) = entry.caller.get("/dead-letters").json()["dead_letters"]

    assert (letter["format"], letter["code"]) == ("fhir", "invalid")
