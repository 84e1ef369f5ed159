"""The pictures of the documentation, of the examples: `make screenshots` makes them anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from service.domain.work_item import line_item
from tests.ground import Ground
from tests.workbench.conftest import ROOT, Desk, furnished

PICTURES = {
    "home": "",
    "worklist": "/worklist",
    "resolution": f"/worklist/{line_item('C-2026-000123', 2)}",
    "claim": "/claims/C-2026-000123",
    "authorization": "/authorizations/UM-55012",
    "member": "/members/M0001",
}


@pytest.fixture(scope="module")
def desk(ground: Ground, browser: Browser) -> Iterator[Desk]:
    """A desk of a payer with a name that can be read."""
    with furnished(ground, browser, payer="example-plan") as one:
        yield one


@pytest.mark.long  # each page is looked at in the short rounds, too
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_made(desk: Desk, pictures: Path, name: str) -> None:
    """Of the page as it is today; the documentation has one of each."""
    page = desk.page if name != "worklist" else desk.sit_down("supervisor")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{desk.url}/workbench{PICTURES[name]}")
    if name == "resolution":
        expect(page.locator("#outcome")).to_contain_text("Paid")
    page.screenshot(path=pictures / f"{name}.png")

    assert (ROOT / "docs" / "pictures" / f"{name}.png").is_file()
