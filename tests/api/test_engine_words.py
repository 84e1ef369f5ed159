"""What Elasticsearch says of a document or a query is told by its type: its words quote values."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from service.application.parts import Stores
from service.domain.engine_fault import EngineFault
from service.logs import stdout_writer
from service.stores.connection.faults import EngineUnavailable, WritesPaused, blocked
from tests.api.bodies import authorization_body, claim_body, ndjson
from tests.ground import Ground, new_prefix, uninstall
from tests.serving import client_of, keys_of, serving

CANARY = "NUMCANARY88"
CLOSED = "index [a] blocked by: "


@pytest.fixture(scope="module")
def misfit(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service whose index has numbers where the service writes text."""
    folder = tmp_path_factory.mktemp("misfit") / "es_templates"
    shutil.copytree(ground.settings.es_templates_dir, folder)
    header = folder / "component-header.json"
    template = json.loads(header.read_text())
    template["template"]["mappings"]["properties"]["numbers_all"] = {"type": "long"}
    header.write_text(json.dumps(template))
    changes = {
        "es_templates_dir": folder,
        "index_prefix": new_prefix(),
        "api_keys": keys_of({"key": "payer-misfit"}),
    }
    made = replace(ground, settings=ground.settings.model_copy(update=changes))

    async def install(stores: Stores) -> None:
        await stores.installation.install()

    made.run(install)
    with serving(made.settings) as url:
        yield url
    made.run(uninstall)


@pytest.fixture
def client(misfit: str) -> Iterator[httpx.Client]:
    """Its caller."""
    with client_of(misfit, "key") as made:
        yield made


def test_a_push_that_is_refused_is_kept_and_quotes_nothing(
    client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    """Alone or in a stream: a dead letter, whose reason has the type and the field."""
    body = authorization_body(authorization_id="UM-D1", number=CANARY)
    alone = client.put("/authorizations/UM-D1", json=body)
    bulk = client.post("/authorizations/bulk", content=ndjson([body | {"version": 2}]))
    line = json.loads(bulk.text)
    letters = [
        client.get(f"/dead-letters/{each}").json()
        for each in (alone.json()["dead_letter"], line["dead_letter"])
    ]
    stdout_writer().flush()
    out = capfd.readouterr()

    assert alone.status_code == 500, alone.text
    assert line["status"] == "rejected"
    for told in (alone.json()["detail"], line["reason"], *(each["reason"] for each in letters)):
        assert "document_parsing_exception (field numbers_all, long)" in told
        assert CANARY not in told
    assert all(CANARY in each["content"] for each in letters)
    assert CANARY not in out.out + out.err
    assert alone.json()["fault"] in out.out


def test_a_query_that_is_refused_is_told_by_its_type(
    client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    """The answer has the name of the line of the log, which has the type."""
    answer = client.get("/authorizations", params={"number": CANARY})
    stdout_writer().flush()
    out = capfd.readouterr()

    assert answer.status_code == 500
    assert CANARY not in answer.text + out.out + out.err
    lines = [json.loads(line) for line in out.out.splitlines() if line.startswith("{")]
    (told,) = (each for each in lines if each.get("fault") == answer.json()["fault"])
    assert told["event"] == "engine_fault"
    assert "query_shard_exception" in told["reason"]


def test_a_claim_that_cannot_be_asked_for_quotes_nothing(
    client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    """Matched alone and in a stream."""
    body = claim_body(authorization_numbers=[{"value": CANARY}])
    answers = (
        client.post("/match", json=body),
        client.post("/match/batch", content=ndjson([body])),
    )
    stdout_writer().flush()
    out = capfd.readouterr()

    assert [each.status_code for each in answers] == [500, 200]
    assert CANARY not in "".join(each.text for each in answers) + out.out + out.err


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (f"{CLOSED}[FORBIDDEN/8/index write (api)];", WritesPaused, "the index is being rebuilt"),
        (
            f"{CLOSED}[TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has"
            " read-only-allow-delete block; for more information, see the documentation];",
            EngineUnavailable,
            "the index is blocked (its disk is full)",
        ),
        (
            f"{CLOSED}[FORBIDDEN/5/index read-only (api)];",
            EngineUnavailable,
            "the index is blocked (cluster_block_exception)",
        ),
    ],
)
def test_what_closes_an_index_is_named(words: str, kind: type[EngineFault], said: str) -> None:
    """A rebuild passes by itself; for a full disk somebody must make room."""
    fault = blocked(words)
    assert (type(fault), fault.reason) == (kind, said)
