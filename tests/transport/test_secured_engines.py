"""The service on engines that let in who knows the password, and by TLS alone."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from service.application.parts import Stores
from service.cli import app
from service.domain.engine_fault import EngineFault
from service.settings import Settings
from tests.api.bodies import authorization_body, claim_body
from tests.ground import Ground
from tests.serving import client_of, serving

pytestmark = pytest.mark.engines


GOODBYE_S = 0.1
"""The client of Redis does not wait for the end of TLS where it was not let in."""


def environment(settings: Settings) -> dict[str, str]:
    """What an operator puts into the environment for these settings."""
    given = settings.model_dump(exclude_defaults=True)
    shown = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in given.items()
    }
    return {f"AUTHMATCH_{name.upper()}": value for name, value in shown.items()}


def doctor(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """What the doctor finds, by what it is about."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(app, ["doctor", "--json"]).stdout
    return {each["what"]: each for each in json.loads(shown)}


def test_a_claim_lives_its_whole_life_with_the_rights_that_are_documented(
    fortress: Ground,
) -> None:
    """Push, match, adjudicate, reverse, list, withdraw, reconcile: nothing more is needed."""
    settings = fortress.settings.model_copy(update={"default_payer": "secured"})
    with serving(settings) as url, client_of(url) as caller:
        assert caller.get("/health/ready").json()["status"] == "ready"
        assert caller.put("/authorizations/A1", json=authorization_body()).status_code == 201
        matched = caller.post("/match", json=claim_body()).json()
        assert matched["lines"][0]["results"][0]["class"] == "exact"
        paid = caller.post("/adjudicate", json=claim_body(claim_id="C1"))
        assert paid.status_code == 200, paid.text
        reversed_ = caller.post("/claims/C1/reverse", json={"reason": "billed twice"})
        assert reversed_.status_code == 200, reversed_.text
        for path in ("/worklist", "/dead-letters", "/claims/C1/history", "/keys"):
            assert caller.get(path).status_code == 200, path
        assert caller.delete("/authorizations/A1?version=2").status_code == 200

    async def reconciled(stores: Stores) -> int:
        return (await stores.reconciliation.run([settings.default_payer])).difference_count

    assert fortress.run(reconciled) == 0


def test_the_doctor_shows_how_the_ways_are_encrypted(
    fortress: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version of TLS and the end of each certificate; no secret."""
    found = doctor(fortress.settings, monkeypatch)

    for engine in ("Elasticsearch", "Redis"):
        assert found[f"TLS of {engine}"]["level"] == "green"
        assert found[f"TLS of {engine}"]["found"].startswith("TLSv1.3 at localhost")
        assert found[engine]["level"] == "green"
    password = fortress.settings.elasticsearch_password
    assert password is not None
    assert password.get_secret_value() not in json.dumps(found)


NOT_LET_IN: dict[str, dict[str, Any]] = {
    "wrong password": {"elasticsearch_password": SecretStr("wrong")},
    "password beyond ASCII": {"elasticsearch_password": SecretStr("wr\u00f6ng \u2603")},
    "nobody": {"elasticsearch_username": None, "elasticsearch_password": None},
    "wrong API key": {"elasticsearch_api_key": SecretStr("bm90OmE6a2V5")},
    "another user": {"elasticsearch_username": "somebody"},
    "wrong password of Redis": {"redis_password": SecretStr("wr\u00f6ng \u2603")},
    "nobody in Redis": {"redis_username": None, "redis_password": None},
    "another user of Redis": {"redis_username": "somebody"},
}


@pytest.mark.parametrize("changes", NOT_LET_IN.values(), ids=NOT_LET_IN)
def test_who_is_not_let_in_is_told_so(fortress: Ground, changes: dict[str, Any]) -> None:
    """A fault that can pass, as an outage: and true words, without a secret or an address."""
    settings = fortress.settings.model_copy(update=changes)
    is_redis = any(name.startswith("redis") for name in changes)

    async def ask() -> None:
        async with fortress.stores(settings) as stores:
            try:
                await (stores.inspection.redis() if is_redis else stores.inspection.elasticsearch())
            finally:
                await asyncio.sleep(GOODBYE_S)

    with pytest.raises(EngineFault) as refused:
        asyncio.run(ask())

    assert refused.value.engine == ("redis" if is_redis else "elasticsearch")
    assert "does not let us in" in refused.value.reason
    assert not refused.value.is_lasting
    assert "wrong" not in refused.value.reason


def test_what_is_pushed_with_an_expired_key_waits_and_is_no_dead_letter(fortress: Ground) -> None:
    """The key of the engine is the operator's matter: 202, and stored when it is mended."""
    changes: dict[str, Any] = {"default_payer": "expired"}
    with (
        serving(fortress.settings.model_copy(update=changes)) as url,
        client_of(url) as caller,
    ):
        assert caller.get("/authorizations/A1").status_code == 404  # its audit trail has begun
    changes["elasticsearch_api_key"] = SecretStr("bm90OmE6a2V5")
    with (
        serving(fortress.settings.model_copy(update=changes)) as url,
        client_of(url) as caller,
    ):
        pushed = caller.put("/authorizations/A1", json=authorization_body())
        assert pushed.status_code == 202, pushed.text
        assert caller.post("/match", json=claim_body()).status_code == 503
    changes["elasticsearch_api_key"] = None
    with (
        serving(fortress.settings.model_copy(update=changes)) as url,
        client_of(url) as caller,
    ):
        matched = caller.post("/match", json=claim_body()).json()
        assert matched["lines"][0]["results"][0]["class"] == "exact"
        assert caller.get("/dead-letters").json()["total"] == 0
