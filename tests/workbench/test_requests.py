"""Requests and charges by pages: the walk-through once, what the payer says, what goes wrong."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from authmatch_local.partner import Partner
from authmatch_local.partner import serving as answering
from service.domain.work_item import line_item
from service.settings import TradingPartner
from service.workbench.visit import FORM
from tests.ground import Ground
from tests.workbench.browser import barriers, complaints, is_too_wide
from tests.workbench.conftest import EXAMPLES, Desk, example, furnished

SOON_S = 60
"""So long the partner's answer and the alert may take on a busy machine."""
CHARGE = {
    "Charge id": "CH-2026-18", "Member id": "M9003", "Born on": "1980-02-29",
    "Procedure code": "97110", "Modifiers": "GP", "Day of service": "2026-12-07",
    "Units": "10", "Amount": "600.00", "Place of service": "11",
    "NPI of who gives the service": "1234567893",
}  # fmt: skip


@pytest.fixture(scope="module")
def partner() -> Iterator[tuple[Partner, str]]:
    """Who stands for the payer, and where."""
    one = Partner()
    with answering(one) as address:
        yield one, address


@pytest.fixture(scope="module")
def desk(ground: Ground, browser: Browser, partner: tuple[Partner, str]) -> Iterator[Desk]:
    """A service whose payer has a trading partner."""
    payer = f"p-{uuid.uuid4().hex[:12]}"
    told = TradingPartner(url=partner[1], receiver="PARTNER", payer_id="PARTNER")
    settings = ground.settings.model_copy(update={"trading_partners": {payer: told}})
    with furnished(replace(ground, settings=settings), browser, payer=payer) as one:
        yield one


def filled(page: Page, fields: dict[str, str]) -> None:
    """Type into fields by their labels."""
    for label, text in fields.items():
        page.get_by_label(label, exact=True).fill(text)


def pressed(page: Page, name: str) -> None:
    """Press a button."""
    page.get_by_role("button", name=name, exact=True).click()


def seen(page: Page, text: str | re.Pattern[str]) -> None:
    """Look again until it is there, once what was pressed has led to a page that stays."""
    expect(page.locator("h1")).to_have_text(re.compile("^(Request|Alerts)"))
    until = time.monotonic() + SOON_S
    while not page.locator("main").get_by_text(text).count():
        assert time.monotonic() < until, page.locator("main").inner_text()
        page.wait_for_timeout(200)
        page.goto(page.url)


def looked_at(page: Page, pictures: Path, name: str) -> list[str]:
    """What is wrong with a page on a phone; a picture of it is kept, and of the wide one."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=pictures / f"walk-{name}-{width}.png", full_page=True)
    return [*barriers(page), *["too wide"] * is_too_wide(page)]


def test_a_charge_becomes_a_number_on_its_claim(desk: Desk, pictures: Path, tmp_path: Path) -> None:
    """Requested, approved, attached, its number in box 23, adjudicated, and the alert."""
    page = desk.sit_down()
    said, wrong = complaints(page), []
    page.goto(f"{desk.url}/workbench")
    page.get_by_role("link", name="what it needs").click()
    filled(page, CHARGE)
    pressed(page, "Check it")
    expect(page.locator("h1 + .tag")).to_have_text("Needs an authorization")
    expect(page.locator("main")).to_contain_text("the member has none that is valid for it")
    wrong += looked_at(page, pictures, "charge")

    pressed(page, "Ask for an authorization")
    page.get_by_label("How many").first.fill("12")
    filled(page, {"To": "2027-02-28", "NPI of who asks": "1234567893", "Diagnoses": "M54.50"})
    wrong += looked_at(page, pictures, "asking")
    pressed(page, "Send it to the payer")
    seen(page, "Approved")
    charge = page.locator("[data-charge=CH-2026-18]")
    expect(charge).to_contain_text("What was granted is valid for it, 12 left")
    wrong += looked_at(page, pictures, "approved")
    pressed(page, "Attach CH-2026-18")
    expect(charge).to_contain_text("10 units are reserved")
    wrong += looked_at(page, pictures, "attached")

    page.goto(f"{desk.url}/workbench")
    page.get_by_role("link", name="put its numbers on it").click()
    page.get_by_label("File").set_input_files(EXAMPLES / "pages-claim.837")
    pressed(page, "Put its numbers on it")
    number = page.locator("tbody a").inner_text()
    expect(page.locator("tbody")).to_contain_text("REF*G1 of the claim: CMS-1500 box 23")
    wrong += looked_at(page, pictures, "numbers")
    with page.expect_download() as download:
        pressed(page, "Download it with its numbers")
    was = (EXAMPLES / "pages-claim.837").read_bytes()
    expected = was.replace(b"HI*ABK", b"REF*G1*%s~\nHI*ABK" % number.encode(), 1)
    given = download.value.path().read_bytes()
    assert f"REF*G1*{number}~".encode() in given
    assert given.replace(b"SE*23*", b"SE*22*") == expected

    page.get_by_label("File").set_input_files(EXAMPLES / "pages-claim.json")
    pressed(page, "Adjudicate it")
    expect(page.locator("h1")).to_have_text("Claim CL-2026-18")
    expect(page.locator("main")).to_contain_text(number)
    expect(page.locator("main")).to_contain_text("Paid")
    page.goto(f"{desk.url}/workbench/alerts?kind=used")
    seen(page, "10 of 12 UN used or reserved, and the period is not over")
    assert (wrong, said) == ([], [])


ASKED = {
    "/member/id": "M9004",
    "/requested_dates/from": "2026-12-01", "/requested_dates/to": "2027-02-28",
    "/requesting_provider/npi": "1234567893", "diagnoses": "M54.50",
    "/lines/0/procedure/from": "97110", "/lines/0/requested/units": "12",
    "/lines/0/requested/unit": "UN", "/setting": "professional",
}  # fmt: skip


def typed(desk: Desk, page: Page, **changes: str) -> str:
    """Fill the form of a request in; gives the id that it has."""
    page.goto(f"{desk.url}/workbench/requests/new")
    for place, text in (ASKED | changes).items():
        field = page.locator(f'[name="{place}"]')
        if place in ("/setting", "/lines/0/requested/unit"):
            field.select_option(text)
        else:
            field.fill(text)
    return page.locator("#request_id").input_value()


@pytest.mark.parametrize(
    ("decision", "status", "told", "follows"),
    [
        ("denied", "Denied", "Appeal by", "Rebuild it as a new one"),
        ("pended", "In review", "LOINC 18842-5", "Revise"),
        ("modified", "Approved, modified", "Authorization", "Appeal"),
    ],
)
def test_what_the_payer_says_is_shown_and_followed(
    desk: Desk, partner: tuple[Partner, str], decision: Any, status: str, told: str, follows: str
) -> None:
    """Seed 000: reasons and a deadline, a day to follow up and what is wanted, what may follow."""
    partner[0].decision = decision
    try:
        page = desk.sit_down("biller")
        name = typed(desk, page)
        pressed(page, "Send it to the payer")
        seen(page, status)
        expect(page.locator("main")).to_contain_text(told)
        page.goto(f"{desk.url}/workbench/requests")
        expect(page.get_by_role("row", name=name)).to_contain_text(status)
        page.get_by_role("searchbox").fill(name)
        pressed(page, "Find")
        partner[0].decision = "approved"
        page.get_by_role("button", name=follows, exact=True).dblclick()
        expect(page.locator("main")).to_contain_text(f"All as in {name}")
        with desk.caller() as all_:
            known = all_.get("/requests", params={"member": "M9004"}).json()["requests"]
        copies = [each["request"].get("copied_from") for each in known]
        assert copies.count(name) == 1
        assert page.locator('[name="/lines/0/procedure/from"]').input_value() == "97110"
        page.locator('[name="/lines/0/requested/units"]').fill("11")
        pressed(page, "Keep it, do not send")
        expect(page.locator("main")).to_contain_text("/lines/0/requested/units")
        pressed(page, "Send it to the payer")
        expect(page.locator("h1 + .tag")).not_to_have_text("Not sent")
        assert barriers(page) == []
    finally:
        partner[0].decision = "approved"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"/lines/0/requested/units": "ten"}, "/lines/0/requested/units"),
        ({"/lines/0/requested/units": "1" * 90}, "/lines/0/requested/units"),
        ({"/lines/0/requested/units": "0"}, "/lines/0/requested/units"),
        ({"/requesting_provider/npi": "12345"}, "/requesting_provider/npi"),
        ({"/lines/0/procedure/from": "97*110"}, "/lines/0/procedure/from"),
        ({"diagnoses": ""}, "/diagnoses"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    desk: Desk, changes: dict[str, str], path: str
) -> None:
    """As a payer would check it; nothing is sent."""
    name = typed(desk, desk.page, **changes)
    pressed(desk.page, "Send it to the payer")
    expect(desk.page.get_by_role("alert")).to_contain_text(path)
    for place, text in (ASKED | changes).items():
        assert desk.page.locator(f'[name="{place}"]').input_value() == text
    with desk.caller() as all_:
        assert all_.get(f"/requests/{name}").status_code == 404


def test_a_form_that_is_sent_twice_asks_once(desk: Desk, partner: tuple[Partner, str]) -> None:
    """By the id that the form has; with other content it is refused, once it was sent."""
    page = desk.sit_down()
    before = len(partner[0].received)
    name = typed(desk, page)
    page.get_by_role("button", name="Send it to the payer").dblclick()
    seen(page, "Approved")
    assert len(partner[0].received) == before + 1
    page.goto(f"{desk.url}/workbench/requests/{name}/change")
    page.locator('[name="/lines/0/requested/units"]').fill("13")
    pressed(page, "Send it to the payer")
    expect(page.get_by_role("alert")).to_contain_text("was sent with other content")


def test_of_two_at_one_charge_the_second_is_told(desk: Desk) -> None:
    """Attached by both it is attached once; once it is billed it cannot be detached."""
    first, second = desk.sit_down("biller"), desk.sit_down("biller")
    charge = CHARGE | {"Charge id": "CH-2", "Member id": "M9005", "Units": "2"}
    for page in (first, second):
        page.goto(f"{desk.url}/workbench/charges")
        filled(page, charge)
        pressed(page, "Check it")
    with desk.caller() as all_:
        grant = {
            "authorization_id": "UM-9005", "version": 1, "kind": "authorization",
            "setting": "professional", "number": "AU-9005", "member": {"id": "M9005"},
            "decision": {"action": "A1"}, "effective": {"from": "2026-12-01", "to": "2027-02-28"},
            "servicing_provider": {"npi": "1234567893"},
            "lines": [{"line": 1, "procedure": {"from": "97110"},
                       "limits": {"units": "2", "unit": "UN"}}],
        }  # fmt: skip
        assert all_.put("/authorizations/UM-9005", json=grant).is_success
        for page in (first, second):
            pressed(page, "Check it")
        for page in (first, second):
            pressed(page, "Attach AU-9005")
            expect(page.locator("main")).to_contain_text("2 units are reserved of AU-9005")
        line = {"line": 1, "procedure": "97110", "modifiers": ["GP"], "from": "2026-12-07",
                "units": "2", "unit": "UN", "charge_ids": ["CH-2"]}  # fmt: skip
        claim = {"claim_id": "CL-2", "type": "professional", "member": {"id": "M9005"},
                 "rendering_provider": {"npi": "1234567893"}, "lines": [line]}  # fmt: skip
        assert all_.post("/adjudicate", json=claim).json()["status"] == "used"
    first.get_by_role("link", name="What became of it so far").click()
    expect(first.locator("h1")).to_have_text("Claim charge:CH-2")
    assert barriers(first) == []
    pressed(second, "Detach, and give the units back")
    expect(second.get_by_role("alert")).to_contain_text("CL-2")
    expect(second.locator("h1 + .tag")).to_have_text("Billed")
    first.goto(f"{desk.url}/workbench/charges")
    much = charge | {"Charge id": "CH-3", "Units": "9"}
    filled(first, much)
    pressed(first, "Check it")
    pressed(first, "Show all of the member, and why")
    expect(first.locator("main")).to_contain_text("Nothing is left of it")
    filled(first, {"Units": "nine"})
    pressed(first, "Check it")
    expect(first.get_by_role("alert")).to_contain_text("/units")


def test_a_line_for_which_nothing_was_found_asks_for_one(desk: Desk) -> None:
    """From the worklist, with what the claim says; once granted, the claim is offered to it."""
    line = {"line": 1, "procedure": "97110", "modifiers": ["GP"], "from": "2026-12-07",
            "units": "4", "unit": "UN"}  # fmt: skip
    claim = {"claim_id": "CL-WAITS", "type": "professional", "member": {"id": "M9006"},
             "billing_provider": {"npi": "1234567893"}, "diagnoses": [{"code": "M54.50"}],
             "rendering_provider": {"npi": "1234567893"}, "lines": [line]}  # fmt: skip
    with desk.caller() as all_:
        assert all_.post("/adjudicate", json=claim).is_success
    page = desk.sit_down()
    page.goto(f"{desk.url}/workbench/worklist/{line_item('CL-WAITS', 1)}")
    page.get_by_role("link", name="Ask for an authorization").click()
    pressed(page, "Send it to the payer")
    seen(page, "Resolve CL-WAITS")
    page.get_by_role("link", name="Resolve CL-WAITS").click()
    expect(page.locator("h1")).to_have_text("Late authorization")


DEEP = '{"lines":' + "[" * 900 + "]" * 900 + "}"


@pytest.mark.parametrize(
    ("link", "days"), [("Renew it", "2026-06-01"), ("Have it revised", "2026-03-01")]
)
def test_an_authorization_that_nobody_asked_for_here_is_asked_for_again(
    desk: Desk, link: str, days: str
) -> None:
    """From its page, with what was used of it as evidence; what is missing is typed."""
    page = desk.sit_down("biller")
    page.goto(f"{desk.url}/workbench/authorizations/UM-55012")
    page.get_by_role("link", name=link).click()
    assert page.locator('[name="/requested_dates/from"]').input_value() == days
    expect(page.locator("main")).to_contain_text("AU-00123")


REFUSED = {
    "not signed for it": ("auditor", "GET", "/requests", {}, 403),
    "not his to attach": ("auditor", "POST", "/charges/attach", {}, 403),
    "of nobody here": ("all", "GET", "/requests/R-OF-OTHERS", {}, 404),
    "attached to nothing": ("all", "POST", "/requests/R-OF-OTHERS", {"step": "attach"}, 404),
    "no button": ("all", "POST", "/requests/R-OF-OTHERS", {"step": "fly"}, 404),
    "no such authorization": ("all", "GET", "/requests/new?of=UM-OF-OTHERS", {}, 404),
    "no such item": ("all", "GET", f"/requests/new?item={'0' * 24}", {}, 404),
    "a form of others": ("all", "POST", "/requests", {"base": "{"}, 422),
    "a form that is a list": ("all", "POST", "/requests", {"base": "[1]"}, 422),
    "a form too deep": ("all", "POST", "/requests", {"base": DEEP}, 422),
    "a form of nonsense": ("all", "POST", "/requests", {
        "base": '{"diagnoses": [1], "lines": [2, {"line": "x"}], "charges": 5}',
        "/lines/0/requested/units/0/0/0": "1", "/member": "M"}, 422),
    "a form of other words": ("all", "POST", "/requests", {
        "base": '{"lines": [{"procedure": {"from": "1"}, "modifiers": [1, {}]}]}'}, 422),
    "a claim of nothing": ("all", "POST", "/claims/populate", {"text": ""}, 422),
    "a claim of nonsense": ("all", "POST", "/claims/populate", {"text": "ISA*"}, 422),
    "a claim half": ("all", "POST", "/claims/adjudicate", {"text": '{"claim_id": "X"}'}, 422),
    "no file": ("all", "POST", "/claims/file", {"content": "ü"}, 422),
    "a charge": ("all", "POST", "/claims/adjudicate", {"text": "CHARGE"}, 422),
    "too much": ("all", "POST", "/claims/populate", {"text": "x" * (9 * 1024 * 1024)}, 413),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_a_page_that_says_so(desk: Desk, name: str) -> None:
    """Never a fault of ours; the program's way to the same pages, by a key."""
    role, method, path, fields, status = REFUSED[name]
    if fields.get("text") == "CHARGE":
        fields = {"text": json.dumps(example("pages-claim") | {"claim_id": "charge:X"})}
    with desk.caller(role) as caller:
        answer = caller.request(
            method, f"/workbench{path}", data=fields or None, headers={"content-type": FORM}
        )
    assert answer.status_code == status, answer.text[:2000]
    assert answer.headers["content-type"].startswith("text/html")
