"""The pages of the formats say what the rows do."""

import re
from pathlib import Path

import pytest

from service.domain.authorization import Authorization, AuthorizationLine
from service.domain.claim import Claim, ServiceLine
from service.ingest.x12.claim.rows import CLAIM, LINE
from service.ingest.x12.fields.mapping import Told
from service.ingest.x12.review.rows import EVENT, SERVICE
from service.ingest.x12.wire.problem import RULES
from tools.pages.x12 import claim_page, review_page

ROOT = Path(__file__).parents[3]
FORMATS = ROOT / "docs" / "formats"
ROW = re.compile(r'^    "[a-z0-9-]+": \w+\(', re.MULTILINE)  # the table's own naming is no use
CODES = re.compile(r'(?:add|note|unsure)\(\s*"([a-z0-9-]+)"|code="([a-z0-9-]+)"')


@pytest.mark.parametrize(("name", "write"), [("x12-278", review_page), ("x12-837", claim_page)])
def test_the_page_is_the_one_that_the_rows_write(name: str, write: object) -> None:
    """Written anew with ``review_page`` and ``claim_page`` when a row changes."""
    assert callable(write)

    assert (FORMATS / f"{name}.md").read_text(encoding="utf-8") == write()


@pytest.mark.parametrize(
    ("rows", "models"),
    [
        (EVENT.rows, (Authorization,)),
        (SERVICE.rows, (AuthorizationLine, Authorization)),
        (CLAIM.rows, (Claim,)),
        (LINE.rows, (ServiceLine, Claim)),
    ],
)
def test_every_row_names_a_field_of_the_model(
    rows: tuple[Told, ...], models: tuple[type, ...]
) -> None:
    """A renamed field must not stay in the documentation."""
    known = {
        each.alias or name
        for model in models
        for name, each in model.model_fields.items()  # type: ignore[attr-defined]
    }
    named = {
        field.split(".")[0]
        for row in rows
        if not row.field.startswith("(")
        for field in row.field.split(", ")
        if not field.startswith(".")
    }

    assert named <= known


def test_every_rule_is_used_and_every_code_is_a_rule() -> None:
    """What is told has a text, and no text is told by nobody."""
    sources = [
        ROW.sub("", path.read_text(encoding="utf-8"))
        for path in (ROOT / "service/ingest/x12").rglob("*.py")
        if path.name != "submissions.py"
    ]
    used = {code for text in sources for found in CODES.findall(text) for code in found if code}

    assert used <= set(RULES)
    assert [code for code in RULES if not any(f'"{code}"' in text for text in sources)] == [
        f"{closing}-{what}" for closing in ("iea", "ge", "se") for what in ("number", "count")
    ]  # the envelope puts these together from the name of the closing segment
