"""`authmatch doctor`: what is in place, what is not, and what to do."""

import asyncio
import json

import pytest

from service.application.maintenance import Readiness, readiness
from service.application.parts import application
from tests.cli.conftest import Authmatch
from tests.ground import Ground


def looked(authmatch: Authmatch) -> tuple[int, dict[str, dict[str, str]]]:
    """Give the exit code, and the findings by what they are about."""
    result = authmatch("doctor", "--json")
    return result.exit_code, {each["what"]: each for each in json.loads(result.stdout)}


def test_a_sound_installation_is_not_red(live: Authmatch) -> None:
    """Versions, health, index, fields, documents, clocks, and how Redis keeps its writes."""
    code, found = looked(live)

    assert code == 0
    assert found["Elasticsearch"]["found"].startswith("9.")
    assert {found[each]["level"] for each in ("index", "fields", "writes", "clocks")} == {"green"}
    assert "documents" in found
    assert "appendfsync" in found["Redis keeps writes"]["found"]


def test_a_person_gets_a_table(live: Authmatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret is never shown, a misspelt variable is pointed out."""
    monkeypatch.setenv("AUTHMATCH_SURROGATE_KEY", "very-secret-indeed")
    monkeypatch.setenv("AUTHMATCH_API_KEYS", '{"key-of-a-payer": "P1"}')
    monkeypatch.setenv("AUTHMATCH_REDSI_URL", "redis://x")

    shown = live("doctor").stdout

    assert "very-secret-indeed" not in shown
    assert "key-of-a-payer" not in shown
    assert "AUTHMATCH_REDSI_URL is not a setting" in shown


def test_an_engine_that_is_down_is_red_and_does_not_hide_the_other(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is that of an engine fault."""
    monkeypatch.setenv("AUTHMATCH_ELASTICSEARCH_URL", "http://127.0.0.1:1")

    code, found = looked(live)

    assert code == 3
    assert found["Elasticsearch"]["level"] == "red"
    assert found["Redis"]["level"] == "green"


def test_what_is_not_installed_is_red(live: Authmatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that puts it right."""
    monkeypatch.setenv("AUTHMATCH_INDEX_PREFIX", "t-nowhere-")

    code, found = looked(live)

    assert code == 1
    assert found["indices"]["advice"] == "run `authmatch index install`"


@pytest.mark.parametrize(
    ("kind", "index", "advice"),
    [
        ("write", "authorizations-v1", "run `authmatch index migrate` again"),
        ("write", "authorization-locator", "lift the blocks"),
        ("read_only", "authorizations-v1", "lift the blocks"),
        ("read_only_allow_delete", "authorizations-v1", "its disk is full"),
        ("read_only_allow_delete", "dead-letters", "its disk is full"),
    ],
)
def test_what_closes_an_index_is_told_with_what_to_do(
    live: Authmatch,
    own: Ground,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    index: str,
    advice: str,
) -> None:
    """A rebuild that was killed, a full disk, and what somebody closed; ready names it, too."""
    prefix = own.settings.index_prefix
    monkeypatch.setenv("AUTHMATCH_INDEX_PREFIX", prefix)

    async def block(is_closed: bool) -> None:
        async with own.stores() as stores:
            await stores.elasticsearch.indices.put_settings(
                index=f"{prefix}{index}", settings={f"index.blocks.{kind}": is_closed or None}
            )

    async def ready() -> Readiness:
        async with application(own.settings, rules=own.rules) as parts:
            return await readiness(parts)

    asyncio.run(block(True))
    try:
        code, found = looked(live)
        told = asyncio.run(ready())
    finally:
        asyncio.run(block(False))

    assert (code, found["writes"]["level"]) == (1, "red")
    assert f"{index} ({kind})" in found["writes"]["found"]
    assert advice in found["writes"]["advice"]
    assert (told["status"], told["closed"]) == ("degraded", [f"{prefix}{index}: {kind}"])


def test_without_engines_it_says_so(authmatch: Authmatch) -> None:
    """Files are looked at all the same."""
    code, found = looked(authmatch)

    assert code == 1
    assert found["rules"]["level"] == "green"
    assert found["engines"]["level"] == "red"


def test_rules_that_do_not_load_are_red(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """The engines are looked at all the same."""
    monkeypatch.setenv("AUTHMATCH_QUERIES_DIR", str(tmp_path))

    code, found = looked(live)

    assert code == 1
    assert found["rules"]["advice"] == "run `authmatch rules check`"
    assert found["Redis"]["level"] == "green"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTHMATCH_BULK_BATCH", "many"),
        ("AUTHMATCH_API_KEYS", "not json"),
        ("AUTHMATCH_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_bad_setting_is_named(
    authmatch: Authmatch, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The variable, not the value: it may be a secret."""
    monkeypatch.setenv(name, value)

    result = authmatch("doctor")

    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {name}: ")
    assert value not in result.stderr


@pytest.mark.parametrize(
    ("name", "address", "what", "level"),
    [
        ("REDIS_URL", "redis://db.example.invalid:6379", "TLS of Redis", "yellow"),
        ("REDIS_URL", "redis://:topsecret@db.example.invalid", "TLS of Redis", "red"),
        ("ELASTICSEARCH_URL", "http://es.example.invalid:9200", "TLS of Elasticsearch", "yellow"),
        ("REDIS_URL", "redis://127.0.0.1:1", "TLS of Redis", "green"),
    ],
)
def test_a_way_on_which_others_can_listen_is_shown(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch, name: str, address: str, what: str, level: str
) -> None:
    """Health data in clear text are a note, a password is wrong; nothing of it is shown."""
    monkeypatch.setenv(f"AUTHMATCH_{name}", address)

    _, found = looked(live)

    assert found[what]["level"] == level
    assert "topsecret" not in str(found)
