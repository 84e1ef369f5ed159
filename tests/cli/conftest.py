"""The command line, called as a person calls it, on the engines of the suite."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from tests.ground import Ground
from tests.ground import ground as ground
from tests.ground import own as own
from tests.ground import payer as payer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

Authmatch = Callable[..., Result]
"""Called with the words of a command and perhaps what it reads from stdin."""


@pytest.fixture
def authmatch(monkeypatch: pytest.MonkeyPatch) -> Authmatch:
    """The command, without any setting and on a narrow terminal."""
    for name in [name for name in os.environ if name.startswith("AUTHMATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    runner = CliRunner()

    def call(*words: object, stdin: str | bytes | None = None) -> Result:
        return runner.invoke(app, [str(word) for word in words], input=stdin)

    return call


@pytest.fixture
def live(
    authmatch: Authmatch, ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> Authmatch:
    """The command with settings for real engines, for a payer of this test alone."""
    settings = ground.settings
    monkeypatch.setenv("AUTHMATCH_ELASTICSEARCH_URL", str(settings.elasticsearch_url))
    monkeypatch.setenv("AUTHMATCH_REDIS_URL", str(settings.redis_url))
    monkeypatch.setenv("AUTHMATCH_INDEX_PREFIX", settings.index_prefix)
    monkeypatch.setenv("AUTHMATCH_DEFAULT_PAYER", payer)
    return authmatch


@pytest.fixture
def with_examples(live: Authmatch) -> Authmatch:
    """The command, after the examples of the documentation were loaded."""
    loaded = live("load", EXAMPLES / "authorizations.ndjson")
    assert loaded.exit_code == 0, loaded.stderr
    return live
