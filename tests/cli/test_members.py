"""`authmatch members`: merged from the command line."""

import json

from tests.cli.conftest import Authmatch


def test_a_member_is_merged(with_examples: Authmatch) -> None:
    """And a second time; who it is then is told, for people and for programs."""
    first = with_examples("members", "merge", "M0001", "M9001", "--by", "jo", "--reason", "twice")
    again = with_examples("members", "merge", "M0001", "M9001", "--json")

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.stdout == "M0001 is M9001 now\n"
    assert json.loads(again.stdout) == {"member": "M0001", "merged_into": "M9001"}


def test_a_merge_that_cannot_be_meant_is_one_line(live: Authmatch) -> None:
    """With exit code 2."""
    itself = live("members", "merge", "M1", "m-1")
    wrong = live("members", "merge", "M/1", "M2")
    far = live("members", "merge", "M1", "M" * 101)

    assert [each.exit_code for each in (itself, wrong, far)] == [2, 2, 2]
    assert "merged into itself" in itself.stderr
    assert "OLD:" in wrong.stderr
    assert "INTO:" in far.stderr
