"""Keys over HTTP and by the command: made, used, rotated, revoked, in every worker."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from service.cli import app
from service.settings import StartKey
from tests.api.service_process import ServiceProcess
from tests.ground import Ground
from tests.serving import client_of, serving

ROLES = """
administrator: [admin, claims.match, clinical.authorization.read]
reader: [clinical.authorization.read]
"""
WANTED = {"name": "desk", "role": "reader"}
PATIENCE_S = 30


@pytest.fixture
def address(ground: Ground, payer: str, tmp_path: Path) -> Iterator[str]:
    """A service with an administrator of P1 and one of P2."""
    file = tmp_path / "roles.yaml"
    file.write_text(ROLES)
    keys = {
        SecretStr(f"admin-{each}"): StartKey(payers=(f"{payer}-{each}",), role="administrator")
        for each in (1, 2)
    }
    settings = ground.settings.model_copy(update={"api_keys": keys, "roles_file": file})
    with serving(settings) as url:
        yield url


@pytest.fixture
def admin(address: str) -> Iterator[httpx.Client]:
    """The administrator of P1."""
    with client_of(address, "admin-1") as client:
        yield client


def status(address: str, key: str) -> int:
    """What a reader is answered."""
    with client_of(address, key) as client:
        return client.get("/authorizations").status_code


def until(done: Callable[[], bool]) -> None:
    """Wait for what every worker does within seconds."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_life_of_a_key(address: str, admin: httpx.Client) -> None:
    """Made, used at once, rotated with two valid at a time, revoked; shown once, never again."""
    answer = admin.post("/keys", json=WANTED)
    made = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert status(address, made["key"]) == 200
    with client_of(address, made["key"]) as reader:
        assert reader.get("/keys").status_code == 403
        assert reader.post("/match", json={}).status_code == 403
    other = admin.post(f"/keys/{made['id']}/rotate", json={}).json()
    assert [status(address, each["key"]) for each in (made, other)] == [200, 200]
    last = admin.post(f"/keys/{made['id']}/rotate", json={"grace_hours": 0}).json()
    until(lambda: status(address, other["key"]) == 401)
    assert [status(address, each["key"]) for each in (made, other, last)] == [401, 401, 200]
    assert admin.delete(f"/keys/{made['id']}").json()["state"] == "revoked"
    until(lambda: status(address, last["key"]) == 401)
    (shown,) = admin.get("/keys").json()
    assert (shown["revoked_by"], shown["made_by"]) == ("key:environment", "key:environment")
    assert not any(each["key"] in admin.get("/keys").text for each in (made, other, last))
    assert admin.post(f"/keys/{made['id']}/rotate", json={}).status_code == 404
    assert admin.delete(f"/keys/{made['id']}").status_code == 200


@pytest.mark.parametrize(
    ("wanted", "expected", "path"),
    [
        ({**WANTED, "payers": ["P2"]}, 403, "/payers"),
        ({**WANTED, "payers": ["P1", "P2"]}, 403, "/payers"),
        ({"name": "desk", "scopes": ["override"]}, 403, "/scopes"),
        ({"name": "desk", "scopes": ["admin", "act-for"]}, 403, "/scopes"),
        ({**WANTED, "role": "examiner"}, 422, "/role"),
        ({"name": "desk"}, 422, ""),
        ({"name": "desk", "scopes": ["no-such"]}, 422, ""),
        ({**WANTED, "name": ""}, 422, "/name"),
        ({**WANTED, "name": "a/b"}, 422, "/name"),
        ({**WANTED, "name": "x" * 65}, 422, "/name"),
        ({**WANTED, "days": 0}, 422, "/days"),
        ({**WANTED, "days": 2**70}, 422, "/days"),
        ({**WANTED, "payers": []}, 422, "/payers"),
        ({**WANTED, "key": "mine"}, 422, "/key"),
        ([], 422, ""),
    ],
)
def test_nobody_gives_what_he_has_not(
    admin: httpx.Client, wanted: Any, expected: int, path: str
) -> None:
    """Nor what there is not; nothing is made."""
    refused = admin.post("/keys", json=wanted)

    assert refused.status_code == expected, refused.text
    assert path in [each["path"] for each in refused.json()["errors"]]
    assert admin.get("/keys").json() == []


def test_keys_of_another_payer_are_not_there(address: str, admin: httpx.Client) -> None:
    """Neither read nor changed, and told like one that never was."""
    with client_of(address, "admin-2") as other:
        theirs = other.post("/keys", json=WANTED).json()
        for method, path in (("GET", ""), ("POST", "/rotate"), ("DELETE", "")):
            sent: dict[str, Any] = {"json": {}} if method == "POST" else {}
            foreign = admin.request(method, f"/keys/{theirs['id']}{path}", **sent)
            unknown = admin.request(method, f"/keys/{'0' * 16}{path}", **sent)
            assert (foreign.status_code, foreign.text) == (unknown.status_code, unknown.text)
            assert foreign.status_code == 404
        assert admin.get("/keys").json() == []
        assert status(address, theirs["key"]) == 200


def test_a_revocation_is_in_force_in_every_worker(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers, and a key that was made and revoked by the command beside them."""
    for name, value in (
        ("ELASTICSEARCH_URL", ground.settings.elasticsearch_url),
        ("REDIS_URL", ground.settings.redis_url),
        ("INDEX_PREFIX", ground.settings.index_prefix),
    ):
        monkeypatch.setenv(f"AUTHMATCH_{name}", str(value))

    def command(*words: str) -> Any:
        done = CliRunner().invoke(app, ["keys", *words, "--json"])
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def listed(key_id: str) -> Any:
        return next(each for each in command("list") if each["id"] == key_id)

    settings = ground.settings.model_copy(update={"open_profile": False})
    with ServiceProcess(settings, workers=2) as service:

        def answers(key: str) -> set[int]:
            """By many connections, so that both workers are asked."""
            return {status(service.url, key) for _ in range(16)}

        made = command("make", "desk", "--payer", payer, "--role", "examiner", "--days", "1")
        assert answers(made["key"]) == {200}
        until(lambda: listed(made["id"])["last_used_at"] is not None)
        command("revoke", made["id"])
        until(lambda: answers(made["key"]) == {401})
        assert answers(made["key"]) == {401}
