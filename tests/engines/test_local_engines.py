"""The engines of this machine: started once, reused, and as durable as they promise to be."""

import contextlib
import json
import os
import shutil
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from authmatch_local import engines

pytestmark = pytest.mark.engines


@pytest.fixture
def cache() -> Path:
    """The cache of this machine, so that nothing is fetched twice."""
    return engines.default_cache()


@pytest.fixture
def home(cache: Path) -> Iterator[str]:
    """A home of this test alone, removed afterwards with all that runs in it."""
    name = f"tests-{os.getpid()}"
    yield name
    engines.stop(cache, home=name)
    shutil.rmtree(cache / "homes" / name, ignore_errors=True)


@contextlib.contextmanager
def connected(url: str) -> Iterator[redis.Redis]:
    """A Redis client that is closed at the end."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        yield client


def ask(url: str, *, method: str = "GET", body: object = None) -> Any:
    """Send one JSON request and return the JSON answer."""
    request = urllib.request.Request(  # noqa: S310 - an address of our own
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.load(response)


def test_both_engines_are_shared_survive_a_power_cut_and_end_with_their_last_user(
    cache: Path, home: str, engine_progress: Callable[[str], None]
) -> None:
    """One life of a home: start, reuse, SIGKILL of the node, same port and data, stop."""
    with engines.using(cache, progress=engine_progress, heap_mb=512, home=home) as first:
        document = f"{first.elasticsearch_url}/visits/_doc/1"
        ask(document, method="PUT", body={"units": 3})

        with engines.using(cache, progress=engine_progress, heap_mb=512, home=home) as second:
            assert second.elasticsearch_pid == first.elasticsearch_pid
            assert second.redis_pid == first.redis_pid
            assert (first.started_here, second.started_here) == (True, False)
        assert first.elasticsearch.is_alive, "the first user still needs it"

        first.elasticsearch.kill()
        assert engines.status(cache, home=home).elasticsearch is None
        again = engines.start_elasticsearch(cache, progress=engine_progress, heap_mb=512, home=home)

        assert again.pid != first.elasticsearch_pid
        assert again.url == first.elasticsearch_url
        assert ask(document)["_source"] == {"units": 3}

    assert not again.is_alive
    assert not first.redis.is_alive
    assert engines.status(cache, home=home) == engines.HomeStatus(elasticsearch=None, redis=None)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_redis_keeps_its_port_and_its_data(cache: Path, home: str, end: str) -> None:
    """Whatever was confirmed is there after an orderly stop and after SIGKILL."""
    first = engines.start_redis(cache, progress=lambda _: None, home=home)
    with connected(first.url) as client:
        client.set("units", "3")

    getattr(first, end)()
    again = engines.start_redis(cache, progress=lambda _: None, home=home)

    assert again.url == first.url
    assert again.pid != first.pid
    with connected(again.url) as client:
        assert client.get("units") == "3"


def test_redis_loses_nothing_and_evicts_nothing(cache: Path, home: str) -> None:
    """The settings that the ledger relies on."""
    server = engines.start_redis(cache, progress=lambda _: None, home=home)
    with connected(server.url) as client:
        settings: Any = client.config_get("*")
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "always"
        assert settings["maxmemory-policy"] == "noeviction"
        assert settings["bind"] == "127.0.0.1"


def test_new_drops_the_data_of_an_engine_that_must_be_started(cache: Path, home: str) -> None:
    """A running engine keeps its data all the same: another user may need it."""
    first = engines.start_redis(cache, progress=lambda _: None, home=home)
    with connected(first.url) as client:
        client.set("units", "3")

    engines.start_redis(cache, progress=lambda _: None, home=home, data="new")
    with connected(first.url) as client:
        assert client.get("units") == "3"

    first.stop()
    again = engines.start_redis(cache, progress=lambda _: None, home=home, data="new")
    with connected(again.url) as client:
        assert client.get("units") is None


def test_what_is_in_memory_outlives_a_kill_and_goes_with_a_stop(cache: Path, home: str) -> None:
    """Where there is room for it; else it is on the disk, and there is one kind of data less."""
    first = engines.start_redis(cache, progress=lambda _: None, home=home, data="new in memory")
    with connected(first.url) as client:
        client.set("units", "3")
    folder = cache / "homes" / home / "redis"
    memory = folder.resolve()

    first.kill()
    again = engines.start_redis(cache, progress=lambda _: None, home=home)
    with connected(again.url) as client:
        assert client.get("units") == "3"
    is_in_memory = folder.is_symlink()
    engines.stop(cache, home=home)

    assert memory.exists() is not is_in_memory


def test_starts_at_the_same_time_give_one_engine(cache: Path, home: str) -> None:
    """The lock of the home lets one of them start it, the others find it."""
    started: list[engines.Engine] = []

    def start() -> None:
        started.append(engines.start_redis(cache, progress=lambda _: None, home=home))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len({engine.pid for engine in started}) == 1
    assert sorted(engine.started_here for engine in started) == [False, False, False, True]


def test_an_engine_whose_starter_died_is_found_again(cache: Path, home: str) -> None:
    """The process was not written down, but it works in the folder of the home."""
    first = engines.start_redis(cache, progress=lambda _: None, home=home)
    state = cache / "homes" / home / "redis.json"
    state.write_text(json.dumps({"port": first.port, "pid": None, "started": None}))

    again = engines.start_redis(cache, progress=lambda _: None, home=home)

    assert (again.pid, again.started_here) == (first.pid, False)


def test_a_port_taken_by_another_is_given_up(cache: Path, home: str) -> None:
    """The home gets a new port rather than the stranger's answers."""
    import socket

    first = engines.start_redis(cache, progress=lambda _: None, home=home)
    first.stop()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", first.port))
        stranger.listen()
        again = engines.start_redis(cache, progress=lambda _: None, home=home)

    assert again.port != first.port


@pytest.mark.parametrize("name", ["", "../run", "Run", "a/b", "-x"])
def test_a_home_cannot_leave_the_cache(cache: Path, name: str) -> None:
    """A home's name is a plain folder name."""
    with pytest.raises(engines.EngineError, match="no name for a home"):
        engines.start_redis(cache, progress=lambda _: None, home=name)
