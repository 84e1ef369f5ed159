"""The small commands, and what all of them share."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from service import __version__
from service.cli import app
from service.cli.commands import COMMANDS
from service.settings import is_loopback
from tests.cli.conftest import EXAMPLES, Authmatch
from tests.ground import Ground, new_prefix, uninstall
from tests.pages import ROOT


@pytest.fixture
def own_prefix(live: Authmatch, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An index prefix for this test alone: nothing is installed under it."""
    prefix = new_prefix()
    monkeypatch.setenv("AUTHMATCH_INDEX_PREFIX", prefix)
    yield prefix
    settings = ground.settings.model_copy(update={"index_prefix": prefix})
    Ground(settings=settings, rules=ground.rules).run(uninstall)


def test_version(authmatch: Authmatch) -> None:
    """One line."""
    assert authmatch("--version").stdout == f"authmatch {__version__}\n"


def test_an_unknown_option_is_bad_input(authmatch: Authmatch) -> None:
    """As everywhere."""
    assert authmatch("sample", "--no-such-option").exit_code == 2


def test_index_install_and_migrate(live: Authmatch, own_prefix: str) -> None:
    """Installing twice changes nothing; a migration names both indices."""
    missing = live("match", EXAMPLES / "claim-dental.json")
    first = live("index", "install")
    again = live("index", "install")
    loaded = live("load", EXAMPLES / "authorizations.ndjson")
    migrated = live("index", "migrate")

    assert missing.exit_code == 3
    assert missing.stderr.endswith("not installed: run `authmatch index install`\n")
    assert first.stdout == again.stdout == f"installed: {own_prefix}authorizations-v1\n"
    assert loaded.exit_code == 0
    assert migrated.stdout == (
        f"{own_prefix}authorizations-v2 has taken the place of {own_prefix}authorizations-v1:"
        " 9 documents\n"
    )


@pytest.mark.usefixtures("own_prefix")
def test_load_installs_what_is_missing(live: Authmatch) -> None:
    """Otherwise Elasticsearch would guess a mapping."""
    result = live("load", EXAMPLES / "authorizations.ndjson")

    assert result.exit_code == 0
    assert result.stderr == "installing the indices\n"
    assert live("match", EXAMPLES / "claim-dental.json").exit_code == 0


def test_engines_of_a_home_that_never_ran(authmatch: Authmatch) -> None:
    """Nothing runs, nothing is stopped; a bad name is a fault in one line."""
    status = authmatch("engines", "status", "--home", "never-ran")
    stopped = authmatch("engines", "stop", "--home", "never-ran")
    bad = authmatch("engines", "status", "--home", "No Home")

    assert (status.exit_code, status.stdout) == (
        1,
        "elasticsearch: not running\nredis: not running\n",
    )
    assert (stopped.exit_code, stopped.stderr) == (0, "no engines of never-ran were running\n")
    assert bad.exit_code == 3
    assert len(bad.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("host", "is_ours_alone"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - it is what must be refused
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
    ],
)
def test_what_is_loopback(host: str, is_ours_alone: bool) -> None:
    """A name other than localhost may be anything."""
    assert is_loopback(host) is is_ours_alone


@pytest.mark.parametrize(
    ("keys", "secret", "said"),
    [
        ("", None, "AUTHMATCH_OPEN_PROFILE is set"),
        ('{"k": "P1"}', None, "AUTHMATCH_API_KEYS is short"),
        ('{"a-key-that-is-long-enough": "P1"}', None, "AUTHMATCH_SURROGATE_KEY is the one of"),
        ('{"a-key-that-is-long-enough": "P1"}', "", "AUTHMATCH_SURROGATE_KEY is short"),
        ('{"a-key-that-is-long-enough": "P1"}', "secret", "AUTHMATCH_SURROGATE_KEY is short"),
    ],
)
def test_serve_refuses_others_without_keys_and_a_secret(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch, keys: str, secret: str | None, said: str
) -> None:
    """Health data are served outside of loopback to known callers only."""
    if secret is not None:
        monkeypatch.setenv("AUTHMATCH_SURROGATE_KEY", secret)
    if keys:
        monkeypatch.setenv("AUTHMATCH_API_KEYS", keys)
    else:
        monkeypatch.setenv("AUTHMATCH_OPEN_PROFILE", "true")

    result = live("serve", "--host", "0.0.0.0")  # noqa: S104 - it is what must be refused

    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {said}")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "run"])
def test_a_port_that_is_taken_is_said_before_anything_starts(
    authmatch: Authmatch, command: str
) -> None:
    """One line, and no engine was started for it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        result = authmatch(command, "--port", port)

    assert result.exit_code == 2
    assert result.stderr == (f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n")


def test_serve_waits_for_engines_only_so_long(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is an engine fault."""
    monkeypatch.setenv("AUTHMATCH_REDIS_URL", "redis://127.0.0.1:1/0")

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    result = live("serve", "--wait", 0, "--port", port)

    assert result.exit_code == 3
    assert result.stderr.startswith("error: redis: ")


def test_what_a_list_says_of_a_command_is_what_it_says_of_itself() -> None:
    """The list imports none of them: so its words stand there a second time."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)

    for name in COMMANDS:
        itself = group.resolve_command(context, [name])[1]
        listed = group.get_command(context, name)
        assert " ".join(itself.help.split("\n\n")[0].split()) == listed.help, name


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (
            [],
            {
                "_AUTHMATCH_COMPLETE": "complete_bash",
                "COMP_WORDS": "authmatch ma",
                "COMP_CWORD": "1",
            },
        ),
    ],
    ids=["help", "version", "completion"],
)
def test_what_is_asked_of_all_commands_imports_none(
    words: list[str], environment: dict[str, str]
) -> None:
    """So it is there at once."""
    program = (
        "import sys, atexit\n"
        "sys.argv[0] = 'authmatch'\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from service.cli import main\n"
        "main()"
    )
    told = subprocess.run(
        (sys.executable, "-c", program, *words),
        env=os.environ | environment,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert "match" in told.stdout
    loaded = set(told.stderr.split())
    assert "service.cli.commands" in loaded
    assert not loaded & {"service.settings", "service.domain", "redis", "elasticsearch"}
