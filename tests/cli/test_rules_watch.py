"""`authmatch rules statistics`: what claim lines came to, for people and for programs."""

import json

import pytest

from tests.cli.conftest import EXAMPLES, Authmatch


def test_claims_are_counted_by_set_and_template(live: Authmatch) -> None:
    """Of an adjudication all of it; a period without claims is said to be one."""
    assert live("adjudicate", EXAMPLES / "claim-professional.json").exit_code == 0

    shown, told = live("rules", "statistics"), live("rules", "statistics", "--json")

    assert shown.stdout == "adjudicated, set unkept, professional@1: 4 lines, 100% none\n"
    (row,) = json.loads(told.stdout)["adjudicated"]
    assert (row["set"], row["lines"], row["counts"]["none"]) == (None, 4, 4)
    assert "no claims" in live("rules", "statistics", "--to", "2020-01-01").stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "yesterday"), "--from: yesterday is no day"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "ends before it starts"),
        (("--set", "0"), "--set"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    live: Authmatch, options: tuple[str, ...], said: str
) -> None:
    """With what is wrong, and exit code 2."""
    result = live("rules", "statistics", *options)

    assert result.exit_code == 2
    assert said in result.stderr
