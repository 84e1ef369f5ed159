"""`authmatch worklist`: an examiner's decisions from the command line."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Authmatch
from tests.ground import Ground
from tests.late.office import Office, run

BY = ("--by", "examiner 7", "--reason", "agreed")


@pytest.fixture
def offered(live: Authmatch, ground: Ground, payer: str) -> Authmatch:
    """The command, with a claim on the worklist."""

    async def scenario(desk: Office) -> None:
        await desk.adjudicate()
        await desk.push()
        assert await desk.work() == ["worklist"]

    run(ground, payer, scenario)
    return live


def listed(authmatch: Authmatch, *options: str) -> Any:
    """The items as programs read them."""
    result = authmatch("worklist", "list", "--json", *options)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def shown(output: str) -> list[str]:
    """The lines of an output, without what is only layout."""
    return [" ".join(line.split()) for line in output.splitlines()]


def test_an_item_is_listed_shown_and_decided(offered: Authmatch) -> None:
    """As tables, and as JSON; then it is not open any more."""
    (item,) = listed(offered, "--authorization", "A1")
    assert json.loads(offered("worklist", "show", "C-1", "--json").stdout) == item
    assert shown(offered("worklist", "list").stdout)[1].startswith("C-1 version 1 open")
    assert "1 suspend (none) SPA-0009 SPA-0014 pay (exact) 0 UN 1 UN A1" in shown(
        offered("worklist", "show", "C-1").stdout
    )

    done = offered("worklist", "readjudicate", "C-1", *BY, "--etag", item["etag"])

    assert (done.exit_code, done.stdout) == (0, "line 1: pay, 1 UN approved\n")
    assert listed(offered) == []
    (item,) = listed(offered, "--state", "done")
    assert (item["on_behalf_of"], item["why"]) == ("examiner 7", "agreed")
    assert item["by"].startswith("local:")


def test_an_item_is_dismissed(offered: Authmatch) -> None:
    """Under whatever ETag it has, where none is given."""
    assert offered("worklist", "dismiss", "C-1", *BY).stdout == "C-1: dismissed\n"
    assert [each["state"] for each in listed(offered, "--state", "all")] == ["dismissed"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "C-unknown"), "no claim of this id was ever offered"),
        (("dismiss", "C-1", *BY, "--etag", "x"), "--etag: this is not the ETag of an item"),
        (("dismiss", "C-1", *BY, "--etag", '"999999-1"'), "the item was changed since"),
        (("dismiss", "C-1", "--by", ""), "/by"),
        (("list", "--state", "lost"), "--state: one of open"),
    ],
)
def test_what_cannot_be_decided_is_one_line(
    offered: Authmatch, words: tuple[str, ...], said: str
) -> None:
    """On stderr, with the exit code of bad input; the item is still open."""
    result = offered("worklist", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert len(listed(offered)) == 1
