"""What stands in a file is quoted by no command that fails, and what is asked for by no fault.

Generated from the commands: each is called with telling words, in its arguments and in its files,
while neither engine can be reached, and once with files that do not fit.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from service.cli import app
from service.cli.faults import ENGINE_FAULT
from tests.api.bodies import authorization_body, claim_body
from tests.cli.conftest import Authmatch
from tests.test_docs import commands_of

WORD, IN_FILE = "QXCANARY7731", "QXFILE4410"
NOT_HERE = {"run", "sample", "serve", "engines start", "engines status", "engines stop"}
"""They start something, or make data up."""
UNREACHABLE = {"ELASTICSEARCH": "http://127.0.0.1:9", "REDIS": "redis://127.0.0.1:9/0"}
CLAIM = claim_body(claim_id=IN_FILE, member={"id": IN_FILE})
AUTHORIZATION = authorization_body(authorization_id=IN_FILE, number=IN_FILE)


GROUP = typer.main.get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = {
    words: command
    for words, command in commands_of(GROUP, "")
    if words not in NOT_HERE and not words.startswith("engines")
}


def words_for(command: Any, file: Path) -> list[object]:
    """Its arguments, and the options that it must have."""
    words: list[object] = []
    for each in command.params:
        is_argument = each.param_type_name == "argument"
        if not is_argument and not each.required:
            continue
        if not is_argument:
            words.append(each.opts[0])
        kind = str(each.type_descriptor.annotation)
        if each.name in ("files", "claim", "folder", "queries") or "Path" in kind:
            words.append(file)
        else:
            words.append(1 if "int" in kind or "float" in kind else WORD)
    return words


@pytest.fixture
def away(authmatch: Authmatch, monkeypatch: pytest.MonkeyPatch) -> Authmatch:
    """The command with settings for engines that are not there."""
    for name, url in UNREACHABLE.items():
        monkeypatch.setenv(f"AUTHMATCH_{name}_URL", url)
    return authmatch


@pytest.mark.parametrize("words", COMMANDS)
def test_no_fault_of_a_command_quotes_anything(words: str, away: Authmatch, tmp_path: Path) -> None:
    """With a claim, an authorization, and neither of them."""
    contents = (CLAIM, AUTHORIZATION, {"member": IN_FILE, "claim_id": [IN_FILE]})
    for number, content in enumerate(contents):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(content))
        given = words_for(COMMANDS[words], file)
        if number and file not in given:
            break  # it reads no file
        called = away(*words.split(), *given)
        assert IN_FILE not in called.stderr, called.stderr
        assert "Traceback" not in called.stderr + called.stdout
        assert called.exit_code in (0, 1, 2, 3), called.exception
        if called.exit_code == ENGINE_FAULT:
            assert WORD not in called.stderr, called.stderr


def test_commands_were_found() -> None:
    """And most of them need an engine."""
    assert len(COMMANDS) > 25
