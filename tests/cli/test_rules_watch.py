"""What rules come to on live claims, and sets in stages, by the command line."""

import json
import shutil
import uuid
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Authmatch


def test_claims_are_counted_by_set_and_template(live: Authmatch) -> None:
    """Of an adjudication all of it; a period without claims is said to be one."""
    assert live("index", "install").exit_code == 0
    assert live("adjudicate", EXAMPLES / "claim-professional.json").exit_code == 0

    shown, told = live("rules", "statistics"), live("rules", "statistics", "--json")

    assert shown.stdout == "adjudicated, set 1, professional@1: 4 lines, 100% none\n"
    (row,) = json.loads(told.stdout)["adjudicated"]
    assert (row["set"], row["lines"], row["counts"]["none"]) == (1, 4, 4)
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


def test_a_draft_is_tried_staged_widened_and_taken_back(live: Authmatch, tmp_path: Path) -> None:
    """By people of one payer; each command says how it stands."""
    queries = Path(shutil.copytree(Path(__file__).parents[2] / "queries", tmp_path / "queries"))
    whose = ("--payer", f"p-{uuid.uuid4().hex[:8]}")
    who = {name: ["--by", name, "--reason", "UM-412", *whose] for name in ("ann", "kim", "lee")}
    assert live("index", "install").exit_code == 0
    dental = queries / "dental.yaml"
    dental.write_text(dental.read_text().replace("weight: 8", "weight: 7", 1))
    draft = live("rules", "push", queries, *who["ann"]).stdout.strip()

    begun = live("rules", "shadow", draft, "--share", 20, *who["ann"])
    assert begun.stdout == f"{draft}: running, 20 % of the claims, 0 claims judged\n"
    assert live("rules", "shadow", draft, *whose).stdout == begun.stdout
    assert "stopped, 0 claims" in live("rules", "shadow", draft, "--stop", *who["ann"]).stdout
    both = live("rules", "shadow", draft, "--stop", "--share", 5, *whose)
    assert (both.exit_code, "not both" in both.stderr) == (2, True)

    for step, name in (("evaluate", "ann"), ("submit", "ann"), ("approve", "kim")):
        assert live("rules", step, draft, *who[name]).exit_code == 0
    assert live("rules", "widen", "--share", 50, *who["kim"]).exit_code == 2
    for first in ("10", "x%", "0%", "100%", "q:10%"):
        wrong = live("rules", "stage", draft, "--first", first, "--despite-gates", "r", *who["lee"])
        assert wrong.exit_code == 2, first
    staged = live("rules", "stage", draft, "--first", "10%", "--despite-gates", "r", *who["lee"])
    assert "is staged" in staged.stdout, staged.stderr
    assert "staged, 10 % of the claims" in live("rules", "status", *whose).stdout
    assert "staged, 50 % of the claims" in live("rules", "widen", "--share", 50, *who["kim"]).stdout
    back = live("rules", "return", *who["kim"])
    assert back.stdout.startswith("set 1 is active"), back.stdout
    assert live("rules", "return", *who["kim"]).exit_code == 2
