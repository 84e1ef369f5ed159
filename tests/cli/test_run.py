"""`authmatch run`: up, something to try, and down again in order."""

import asyncio
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from authmatch_local.commands import first_data
from authmatch_local.commands.first_data import load_first_data
from service.domain.claim import Claim
from tests.ground import Ground, match, new_prefix, uninstall
from tests.serving import keys_of

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 120


@pytest.fixture
def environment(ground: Ground, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings for the engines of the suite, under a prefix of this test alone."""
    settings = ground.settings.model_copy(update={"index_prefix": new_prefix()})
    yield {
        **{name: each for name, each in os.environ.items() if not name.startswith("AUTHMATCH_")},
        "AUTHMATCH_ELASTICSEARCH_URL": str(settings.elasticsearch_url),
        "AUTHMATCH_REDIS_URL": str(settings.redis_url),
        "AUTHMATCH_INDEX_PREFIX": settings.index_prefix,
        "AUTHMATCH_CACHE": str(tmp_path),
    }
    Ground(settings=settings, rules=ground.rules).run(uninstall)


def free_port() -> int:
    """Give a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def started(environment: dict[str, str], port: int, *words: str) -> subprocess.Popen[str]:
    """Start it as a shell does."""
    return subprocess.Popen(
        (sys.executable, "-m", "service.cli", "run", "--port", str(port), *words),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def told_until_ready(program: subprocess.Popen[str]) -> list[str]:
    """Read what it says up to how it is stopped."""
    assert program.stdout is not None
    told = []
    for line in program.stdout:
        told.append(line.rstrip())
        if line.startswith("stop:"):
            return told
    raise AssertionError("\n".join(told))


def key_of(environment: dict[str, str]) -> str:
    """The key of this machine, which is kept beside the data."""
    return (Path(environment["AUTHMATCH_CACHE"]) / "homes" / "run" / "key").read_text()


def opened(told: list[str], port: int) -> list[tuple[int, int, str | None]]:
    """Whether the link that is printed opens a session: once, and the second time."""
    (link,) = (each.strip() for each in told if "/session/open?ticket=" in each)
    found = []
    for _ in range(2):
        with httpx.Client(trust_env=False) as browser:
            status = browser.get(link).status_code
            who = browser.get(f"http://127.0.0.1:{port}/session").json()
            known = browser.get(f"http://127.0.0.1:{port}/authorizations").status_code
        found.append((status, known, f"{who['kind']}:{who['name']}" if "kind" in who else None))
    return found


def until_approved(line: str) -> dict[str, Any]:
    """What the line that is printed shows of the request, once the partner has answered it."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        pasted = ("bash", "-c", line.partition(" | ")[0])
        shown = json.loads(subprocess.run(pasted, capture_output=True, check=True).stdout)
        if shown["status"] == "APPROVED" or time.monotonic() > deadline:
            return dict(shown)
        time.sleep(0.2)


def test_it_serves_what_it_says_and_stops_in_order(environment: dict[str, str]) -> None:
    """The line that it prints works when pasted; Ctrl-C ends it with 0; its data are kept."""
    port = free_port()
    with started(environment, port, "--sample", "50") as program:
        try:
            told = told_until_ready(program)
            line, request = (each for each in told if each.startswith("  curl "))
            pasted = ("bash", "-c", line.partition(" | ")[0])
            answer = subprocess.run(pasted, cwd=ROOT, capture_output=True, check=True)
            bare = httpx.get(f"http://127.0.0.1:{port}/authorizations", trust_env=False)
            signed_in = opened(told, port)
            own = {"X-API-Key": key_of(environment)}
            approved = until_approved(request)
            waiting = httpx.get(f"http://127.0.0.1:{port}/worklist", headers=own, trust_env=False)
        finally:
            program.send_signal(signal.SIGINT)
            rest, _ = program.communicate(timeout=SECONDS_MAX)

    assert program.returncode == 0
    assert signed_in == [(303, 200, "session:local"), (401, 401, None)]
    assert approved["status"] == "APPROVED", approved
    assert [each["charge_id"] for each in approved["offers"]] == ["CH-2026-17"]
    assert rest.splitlines() == ["stopping the service", "stopped"]
    assert any("59 authorizations" in each for each in told)
    assert {"SPA-0016", "SPA-0009"} <= {
        event for item in waiting.json()["items"] for event in item["events"]
    }
    key = Path(environment["AUTHMATCH_CACHE"]) / "homes" / "run" / "key"
    assert key_of(environment) in line
    assert (key.stat().st_mode & 0o777, bare.status_code) == (0o600, 401)
    classes = [each["results"][0]["class"] for each in json.loads(answer.stdout)["lines"]]
    assert classes == ["exact", "non-exact", "exact", "none"]

    with started(environment, port, "--workers", "1") as program:
        try:
            told = told_until_ready(program)
        finally:
            program.send_signal(signal.SIGTERM)
            program.communicate(timeout=SECONDS_MAX)

    assert program.returncode == 0
    assert any("61 authorizations" in each for each in told), "what was requested, and granted"
    assert not any("loading" in each for each in told)
    assert any(key_of(environment) in each for each in told), "the key is made once"


def test_who_is_killed_leaves_no_service(environment: dict[str, str]) -> None:
    """It serves on its port until its parent is gone, and then nobody does."""
    port = free_port()
    with started(environment, port, "--sample", "0", "--workers", "1") as program:
        try:
            told_until_ready(program)
            assert httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False).is_success
        finally:
            program.kill()
            # Until nobody holds what it writes to: neither the service nor its workers.
            program.communicate(timeout=SECONDS_MAX)

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False)


@pytest.mark.parametrize("keys", [{}, {"secret-key": "payer-of-a-key"}], ids=["open", "keys"])
def test_without_a_checkout_a_made_up_claim_is_given(
    ground: Ground,
    payer: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    keys: dict[str, str],
) -> None:
    """An installed package has no documentation beside it: the claim is written out, and matches.

    With API keys the data are those of the first key's payer.
    """
    monkeypatch.setattr(first_data, "_EXAMPLES", tmp_path)
    monkeypatch.setattr(first_data, "_EXAMPLE_CLAIM", tmp_path / "claim.json")
    own = dict.fromkeys(keys, f"{payer}-key")
    settings = ground.settings.model_copy(update={"default_payer": payer, "api_keys": keys_of(own)})

    loaded = asyncio.run(load_first_data(settings, 60))
    again = asyncio.run(load_first_data(settings, 60))
    (text,) = shlex.split(loaded.claim)
    claim = Claim.model_validate_json(text)
    (line,) = ground.run(lambda stores: match(stores, loaded.payer, claim))

    assert line["results"][0]["class"] == "exact"
    assert again == loaded
    assert (loaded.count, loaded.payer) == (60, f"{payer}-key" if keys else payer)


@pytest.mark.parametrize("missing", ["authmatch_local", "psutil"])
@pytest.mark.parametrize("command", [["run", "--port", "1"], ["sample"], ["engines", "start"]])
def test_without_the_extra_it_says_what_to_install(missing: str, command: list[str]) -> None:
    """The code or a package that it needs is not there, as in the image of the service."""
    told = without(missing, *command)

    assert told.returncode == 2
    assert told.stderr == (f"error: {command[0]} is not installed here: install authmatch[local]\n")


def test_without_the_extra_the_rest_works() -> None:
    """The other commands are there, and need nothing of it."""
    assert "Serve the API" in without("authmatch_local", "--help").stdout
    assert without("authmatch_local", "rules", "check").returncode == 0


def without(package: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command where a package is not installed."""
    program = f"import sys; sys.modules[{package!r}] = None; from service.cli import main; main()"
    own = {name: each for name, each in os.environ.items() if not name.startswith("AUTHMATCH_")}
    return subprocess.run(
        (sys.executable, "-c", program, *words),
        cwd=ROOT,
        env=own | {"NO_COLOR": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
