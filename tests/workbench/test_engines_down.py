"""Engines that fail in the middle: a page says so, what was typed stays, and is sent once more."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from service.domain.work_item import line_item
from tests.ground import Ground
from tests.proxy import Proxy
from tests.workbench.conftest import Desk, furnished

Engine = Literal["elasticsearch", "redis"]


@pytest.fixture(scope="module")
def engines(ground: Ground) -> Iterator[dict[Engine, Proxy]]:
    """Both engines, behind proxies that may fail."""
    found: dict[Engine, Proxy] = {
        "elasticsearch": Proxy(ground.settings.elasticsearch_url or ""),
        "redis": Proxy(ground.settings.redis_url or ""),
    }
    for each in found.values():
        each.start()
    yield found
    for each in found.values():
        each.stop()


@pytest.fixture(scope="module")
def desk(ground: Ground, browser: Browser, engines: dict[Engine, Proxy]) -> Iterator[Desk]:
    """A service that reaches its engines through them."""
    addresses = {f"{name}_url": each.url for name, each in engines.items()}
    behind = replace(ground, settings=ground.settings.model_copy(update=addresses))
    with furnished(behind, browser) as one:
        yield one


@pytest.mark.parametrize(
    ("engine", "claim", "line"),
    [("elasticsearch", "C-2026-000123", 2), ("redis", "C-2026-000203", 2)],
)
def test_what_was_chosen_outlives_an_engine(
    desk: Desk, engines: dict[Engine, Proxy], engine: Engine, claim: str, line: int
) -> None:
    """The page has it all, and the same again decides once the engine is back."""
    page = desk.sit_down("examiner")
    page.goto(f"{desk.url}/workbench/worklist/{line_item(claim, line)}")
    page.keyboard.press("r")
    for place, field in enumerate(page.locator("[data-candidate] input").all(), start=1):
        field.fill(str(place))
    engines[engine].set_mode("refuse")
    try:
        page.get_by_role("button", name=re.compile("^Apply")).click()
        expect(page.get_by_role("alert")).to_contain_text(engine)
        expect(page.locator("main")).to_contain_text("records-reviewed")
        home = page.context.new_page()
        home.goto(f"{desk.url}/workbench")
        expect(home.locator("main")).to_contain_text(re.compile("does not answer|cannot be"))
    finally:
        engines[engine].set_mode("pass")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("[role=status]").first).to_contain_text("resolved by selecting")
