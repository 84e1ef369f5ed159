"""`authmatch worklist`: an examiner's decisions from the command line."""

import json
from typing import Any

import pytest

from service.domain.work_item import line_item, offer_item
from tests.cli.conftest import Authmatch
from tests.ground import Ground
from tests.late.office import Office, run

BY = ("--by", "examiner 7", "--reason", "agreed")
OFFER = offer_item("C-1")
LINE = line_item("C-1", 1)


@pytest.fixture
def offered(live: Authmatch, ground: Ground, payer: str) -> Authmatch:
    """The command, with a line that waits, and a claim that would come out better."""

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
    """As tables, and as JSON; then neither it nor the line's is open any more."""
    (item,) = listed(offered, "--authorization", "A1")
    told = json.loads(offered("worklist", "show", OFFER, "--json").stdout)
    assert [each["action"] for each in told.pop("actions")] == ["readjudicate", "no-action"]
    assert told == item
    rows = shown(offered("worklist", "list", "--kind", "suspended").stdout)
    assert rows[1].startswith(f"{LINE} suspended C-1 1 SPA-0009 ")
    assert "1 suspend (none) SPA-0009 SPA-0014 pay (exact) 0 UN 1 UN A1" in shown(
        offered("worklist", "show", OFFER).stdout
    )
    assert "kind suspended 1" in shown(offered("worklist", "counts").stdout)

    words = ("worklist", "resolve", OFFER, "--action", "readjudicate", *BY)
    done = offered(*words, "--etag", item["etag"])

    assert (done.exit_code, done.stdout) == (0, f"{OFFER}: done\nline 1: pay, 1 UN approved\n")
    assert listed(offered) == []
    (item,) = listed(offered, "--state", "done", "--kind", "late-authorization")
    assert (item["on_behalf_of"], item["why"]) == ("examiner 7", "agreed")
    assert item["by"].startswith("local:")


def test_an_item_is_taken_handed_on_and_decided(offered: Authmatch) -> None:
    """Under whatever ETag it has, where none is given; and what was decided is undone."""
    taken = json.loads(offered("worklist", "next", "--by", "lee", "--json").stdout)
    assert taken["handling"]["assignee"] == "lee"
    for words in (
        ("release", taken["item_id"], "--by", "lee"),
        ("take", LINE, "--by", "lee"),
        ("skip", LINE, "--by", "lee", "--reason", "not mine"),
        ("hold", LINE, "--until", "2099-01-05"),
        ("assign", LINE, "--team", "therapy"),
    ):
        assert offered("worklist", *words).exit_code == 0, words
    (item,) = listed(offered, "--team", "therapy")
    assert (item["handling"]["hold_until"], item["handling"]["assignee"]) == ("2099-01-05", None)

    chosen = ("--deny-with", "CO 16 M62", "--reason-code", "not-granted")
    decide = ("worklist", "resolve", LINE, "--action")
    dry = offered(*decide, "deny", *chosen, "--dry-run")
    assert dry.stdout == f"{LINE}: open\nline 1: deny, 0 UN approved\n"
    assert (
        offered(*decide, "deny", *chosen).stdout == f"{LINE}: done\nline 1: deny, 0 UN approved\n"
    )
    undone = json.loads(offered("worklist", "undo", LINE, "--json").stdout)
    assert undone["adjudication"]["lines"][0]["disposition"] == "pay"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "0" * 24), "there never was an item of this id"),
        (
            ("resolve", OFFER, "--action", "no-action", "--etag", '"x"'),
            "the item was changed since",
        ),
        (("resolve", OFFER, "--action", "no-action", "--by", ""), "/by"),
        (("resolve", OFFER, "--action", "deny", "--deny-with", "CO"), "/deny_with/carc"),
        (("resolve", OFFER, "--action", "pay"), "/action"),
        (("hold", OFFER, "--until", "2020-01-01"), "a day after today"),
        (("assign", "x"), "/items/0"),
        (("list", "--state", "lost"), "--state: one of open"),
        (("list", "--kind", "lost"), "--kind: one of suspended"),
        (("list", "--sort", "lost"), "--sort: one of due"),
    ],
)
def test_what_cannot_be_decided_is_one_line(
    offered: Authmatch, words: tuple[str, ...], said: str
) -> None:
    """On stderr, with the exit code of bad input; the item is still open."""
    result = offered("worklist", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert len(listed(offered)) == 2
