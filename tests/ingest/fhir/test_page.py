"""The page of the format is the one that the rows write."""

from pathlib import Path

from tools.pages.fhir import page

WRITTEN = Path(__file__).parents[3] / "docs/formats/fhir-pas.md"


def test_the_page_is_what_the_rows_write() -> None:
    """Write it again with ``page()`` after a change of the rows."""
    assert WRITTEN.read_text(encoding="utf-8") == page()


def test_every_row_stands_on_the_page() -> None:
    """With its path, its field and its rule; no placeholder is left."""
    text = page()

    assert "`addItem.quantity`" in text
    assert "granted (A1)" in text
    assert "DISPOSITIONS" not in text
    assert "UNITS" not in text
