"""What a record keeps, and what short names mean, is told by the code on the data model's page."""

from pathlib import Path

from service.accounting.books import record
from tools.pages.record import record_table
from tools.pages.wire import wire_table

PAGE = Path(__file__).parents[2] / "docs/data-model.md"


def test_every_key_of_a_record_is_on_the_page() -> None:
    """As the code says it; write it there anew with `tools.pages.record` where it changed."""
    assert record_table() in PAGE.read_text(encoding="utf-8")


def test_every_short_name_is_on_the_page() -> None:
    """As `tools.pages.wire` writes it from the one list of them."""
    assert wire_table() in PAGE.read_text(encoding="utf-8")


def test_every_key_has_a_meaning() -> None:
    """None stands in a record of which nothing is said."""
    parts = [each for each in vars(record).values() if hasattr(each, "__required_keys__")]
    keys = {
        name
        for part in parts
        if part.__module__ == record.__name__
        for name in part.__annotations__
    }
    rows = [row.strip("| ").split(" | ") for row in record_table().splitlines()[2:]]

    assert keys >= {"claim", "lines", "may_override", "previous"}
    assert {row[-2].strip("`| ") for row in rows} >= keys
    assert all(row[-1].strip() not in ("", "|") for row in rows)
