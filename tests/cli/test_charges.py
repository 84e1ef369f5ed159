"""`authmatch charges` and `authmatch report`: what a biller and a compliance officer ask for."""

import json
from pathlib import Path

from tests.cli.conftest import EXAMPLES, Authmatch

CHARGE = EXAMPLES / "charge.json"


def test_a_charge_is_checked_attached_and_detached(with_examples: Authmatch) -> None:
    """As tables for a person, as JSON for a program; the same again changes nothing."""
    words = ("charges", "attach", CHARGE, "--authorization", "UM-55012")
    before = with_examples("charges", "check", CHARGE)
    done, again = with_examples(*words), with_examples(*words, "--json")
    after = with_examples("charges", "check", CHARGE)
    back = with_examples("charges", "detach", "CH-2026-7", "--reason", "keyed twice")

    assert before.exit_code == 0, before.output
    assert "CH-2026-7 needs an authorization" in before.stdout
    assert "UM-55012" in before.stdout
    assert "AU-00123: 4 UN" in done.stdout
    assert json.loads(again.stdout)["replayed"] is True
    assert "attached: UM-55012" in after.stdout
    assert back.stdout.splitlines() == ["given back", "UM-55012: 4"]
    assert with_examples("charges", "detach", "CH-2026-7").stdout == "nothing was attached\n"


def test_what_cannot_be_attached_is_told_in_a_line(
    with_examples: Authmatch, tmp_path: Path
) -> None:
    """With exit code 2: an authorization that is not valid, one that is not there, no charge."""
    much, wrong = tmp_path / "much.json", tmp_path / "wrong.json"
    much.write_text(json.dumps({**json.loads(CHARGE.read_text()), "units": "400"}))
    wrong.write_text("{}")
    for file, name, said in (
        (much, "UM-55012", "amended to 400"),
        (CHARGE, "nobody", "no authorization in force"),
        (CHARGE, "a b", "/authorization_id"),
        (wrong, "UM-55012", "/charge_id"),
    ):
        told = with_examples("charges", "attach", file, "--authorization", name)
        assert (told.exit_code, told.stdout) == (2, "")
        assert said in told.stderr.replace("\n", " ")
    shown = with_examples("charges", "check", much, "--all")
    assert "less is left of it" in shown.stdout


def test_the_metrics_of_a_year_go_into_a_file(with_examples: Authmatch, tmp_path: Path) -> None:
    """As a page, or on stdout as JSON and CSV."""
    page = tmp_path / "metrics.html"
    told = with_examples("report", "cms0057", "--year", "2026", "--small-cells")
    rows = with_examples("report", "cms0057", "--year", "2026", "--form", "csv")
    written = with_examples(
        "report", "cms0057", "--year", "2026", "--form", "html", "--output", page
    )

    assert json.loads(told.stdout)["standard"]["approved"]["count"] >= 1
    assert rows.stdout.startswith("year,requests,decided,approved_count")
    assert (written.exit_code, written.stdout) == (0, "")
    assert "Prior authorization metrics 2026" in page.read_text()
    assert with_examples("report", "cms0057", "--year", "x").exit_code == 2
