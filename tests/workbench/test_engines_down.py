"""What fails in the middle: a page says so, what was typed stays, and is sent once more.

An engine, the issuer at which one signs in, and the session of somebody who types.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from service.domain.work_item import line_item
from tests.access.issuer import SmallIssuer
from tests.ground import Ground
from tests.papers import PDF
from tests.proxy import Mode, Proxy
from tests.workbench.browser import barriers, complaints
from tests.workbench.conftest import EXAMPLES, Desk, furnished

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
def issuer() -> Iterator[SmallIssuer]:
    """Where one signs in."""
    small = SmallIssuer()
    yield small
    small.stop()


@pytest.fixture(scope="module")
def desk(
    ground: Ground, browser: Browser, engines: dict[Engine, Proxy], issuer: SmallIssuer
) -> Iterator[Desk]:
    """A service that reaches its engines through them."""
    addresses = {f"{name}_url": each.url for name, each in engines.items()}
    behind = replace(ground, settings=ground.settings.model_copy(update=addresses))
    with furnished(behind, browser, issuer=issuer) as one:
        yield one


def signed_in(desk: Desk) -> Page:
    """Somebody who wanted the worklist, and signed in at the issuer first."""
    page = desk.browser.new_context(reduced_motion="reduce").new_page()
    page.goto(f"{desk.url}/workbench/worklist")
    page.get_by_role("link", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Worklist")
    return page


def test_somebody_signs_in_works_and_signs_out(desk: Desk) -> None:
    """At the issuer, back where he wanted to be; then nothing is his any more, not even by back."""
    page = signed_in(desk)
    said = complaints(page)
    for key in "ja":
        page.keyboard.press(key)
    expect(page.locator("main")).to_contain_text("session:jo")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Sign in")
    expect(page.locator("main")).not_to_contain_text("session:jo")
    assert said == []


def test_a_sign_in_that_fails_is_told_on_a_page(desk: Desk, issuer: SmallIssuer) -> None:
    """The issuer is down, says no, or its answer comes twice; then it works."""
    page = desk.browser.new_context().new_page()
    page.goto(f"{desk.url}/workbench")
    for answer, told in (
        ((503, b'{"error": "temporarily_unavailable"}'), "issuer"),
        ((400, b'{"error": "invalid_grant"}'), "sign"),
    ):
        issuer.token_answer = answer
        page.get_by_role("link", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text(told)
        assert barriers(page) == []
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("What to do")
        page.get_by_role("link", name="Home").click()
    issuer.token_answer = None
    page.get_by_role("link", name="Sign in").click()
    expect(page.locator("main")).to_contain_text("How it is")


def test_what_is_typed_outlives_a_session_that_is_ended(desk: Desk, tmp_path: Path) -> None:
    """All fields stand there; a file is chosen once more, as a browser keeps none."""
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(PDF)
    page = signed_in(desk)
    page.goto(f"{desk.url}/workbench/entry")
    for label, value in (
        ("Id here", "E-9"), ("Authorization number", "N <9>"), ("Member id", "M-77"),
        ("From", "2026-05-01"), ("Units", "20"), ("Remarks", "über 'all' & \"more\""),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Document (PDF").set_input_files(letter)
    other = page.context.new_page()
    other.goto(f"{desk.url}/workbench")
    other.get_by_role("button", name="Sign out").click()
    expect(other.locator("h1")).to_have_text("Sign in")
    page.get_by_role("button", name="Enter", exact=True).click()
    expect(page.locator("h1")).to_have_text("Your session is over")
    expect(page.locator("main")).to_contain_text("über 'all' & \"more\"")
    with page.expect_popup() as tab:
        page.get_by_role("link", name="Sign in in another tab").click()
    expect(tab.value.locator("main")).to_contain_text("How it is")
    page.get_by_role("button", name="I have signed in").click()
    expect(page.locator("main")).to_contain_text("N <9>")
    page.get_by_label("choose it again").set_input_files(letter)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("h1")).to_contain_text("N <9>")
    expect(page.get_by_role("link", name="Letter")).to_be_visible()


@pytest.mark.parametrize(
    ("engine", "mode", "claim", "line"),
    [
        ("elasticsearch", "refuse", "C-2026-000123", 2),
        ("redis", "cut", "C-2026-000203", 2),
    ],
)
def test_what_was_chosen_outlives_an_engine(
    desk: Desk, engines: dict[Engine, Proxy], engine: Engine, mode: Mode, claim: str, line: int
) -> None:
    """The page has it all, and the same again decides once the engine is back."""
    page = desk.sit_down("examiner")
    page.goto(f"{desk.url}/workbench/worklist/{line_item(claim, line)}")
    page.keyboard.press("r")
    for place, field in enumerate(page.locator("[data-candidate] input").all(), start=1):
        field.fill(str(place))
    with engines[engine].failing(mode):
        page.get_by_role("button", name=re.compile("^Apply")).click()
        expect(page.get_by_role("alert")).to_contain_text(engine)
        expect(page.locator("main")).to_contain_text("records-reviewed")
        home = page.context.new_page()
        home.goto(f"{desk.url}/workbench")
        expect(home.locator("main")).to_contain_text(re.compile("does not answer|cannot be"))
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_role("alert")).to_contain_text(engine)
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("[role=status]").first).to_contain_text("resolved by selecting")


def test_what_is_asked_for_and_billed_outlives_an_engine(
    desk: Desk, engines: dict[Engine, Proxy]
) -> None:
    """A request as it was typed, and a claim as it was pasted, as JSON and as an 837."""
    page = desk.sit_down()
    page.goto(f"{desk.url}/workbench/requests/new")
    for label, value in (
        ("Member id", "M-78"), ("From", "2026-12-01"), ("Diagnoses", "M54.50"),
        ("NPI of who asks", "1234567893"), ("Type of service (UM03)", "PT"),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(value)
    with engines["elasticsearch"].failing("refuse"):
        page.get_by_role("button", name="Keep it").click()
        expect(page.get_by_role("alert")).to_contain_text("elasticsearch")
        expect(page.locator("main")).to_contain_text("M54.50")
    page.get_by_role("button", name="Send again").click()
    page.get_by_role("button", name="Send it to the payer").click()
    expect(page.get_by_role("alert")).to_contain_text("no trading partner is configured")
    expect(page.locator("h1 + .tag")).to_have_text("Not sent")

    for kind in ("json", "837"):
        text = (EXAMPLES / f"pages-claim.{kind}").read_text(encoding="utf-8").strip()
        page.goto(f"{desk.url}/workbench/claims")
        page.get_by_label("Or its text").fill(text)
        with engines["elasticsearch"].failing("refuse"):
            page.get_by_role("button", name="Put its numbers on it").click()
            expect(page.get_by_role("alert")).to_contain_text("elasticsearch")
        again = "Send again" if kind == "json" else "Put its numbers on it"
        page.get_by_role("button", name=again).click()
        expect(page.locator("tbody")).to_contain_text("not found")
        expect(page.get_by_label("Or its text")).to_have_value(text)
