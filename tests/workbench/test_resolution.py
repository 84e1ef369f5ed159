"""Guided resolution by keyboard alone: what waits is decided, tried first, undone, and seen."""

import html
import re
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.domain.work_item import line_item
from tests.api.bodies import authorization_body
from tests.workbench.browser import complaints
from tests.workbench.conftest import Desk, example

PROFESSIONAL, DENTAL = "C-2026-000123", "C-2026-000204"
OUTPATIENT, REFERRAL = "C-2026-000202", "C-2026-000203"


def opened(desk: Desk, claim: str, line: int, role: str = "examiner", **context: Any) -> Page:
    """Somebody who opens the item of a claim line."""
    page = desk.sit_down(role, **context)
    page.goto(f"{desk.url}/workbench/worklist/{line_item(claim, line)}")
    expect(page.locator("h1")).to_have_text("Suspended line")
    return page


def sent(desk: Desk, name: str, line: int) -> str:
    """A claim of its own with one line of an example, adjudicated; gives its id."""
    claim = example(name)
    claim["claim_id"] = f"C-{uuid.uuid4().hex[:8]}"
    claim["lines"] = [each for each in claim["lines"] if each["line"] == line]
    with desk.caller() as all_:
        assert all_.post("/adjudicate", json=claim).status_code == 200
    return str(claim["claim_id"])


def line_of(desk: Desk, claim: str, line: int) -> dict[str, Any]:
    """What became of a claim line."""
    with desk.caller() as all_:
        lines = all_.get(f"/claims/{claim}").json()["lines"]
    found: dict[str, Any] = next(each for each in lines if each["line"] == line)
    return found


def test_a_line_with_one_candidate_takes_two_keys(desk: Desk, pictures: Path) -> None:
    """What fits is chosen already, and what applying pays is shown; a reason, apply, next, undo."""
    page = opened(desk, PROFESSIONAL, 2)
    said = complaints(page)
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text("Paid")
    expect(outcome).to_contain_text("4\xa0UN, 240.00 of 4\xa0UN, 240.00")
    expect(outcome).to_contain_text("10 left")
    page.screenshot(path=pictures / "resolution-tried.png", full_page=True)
    for key in "ry":
        page.keyboard.press(key)
    expect(page.locator("[role=status]").first).to_contain_text("resolved by selecting UM-55012")
    line = line_of(desk, PROFESSIONAL, 2)
    assert (line["disposition"], line["resolutions"][0]["by"]) == ("pay", "session:examiner")

    page.keyboard.press("u")
    expect(page.locator(".tag").first).to_have_text("Waits")
    assert line_of(desk, PROFESSIONAL, 2)["disposition"] == "suspend"
    assert said == []


def test_several_are_chosen_in_an_order(desk: Desk) -> None:
    """By their digits; one that is taken out again makes room, and the next item comes."""
    page = opened(desk, REFERRAL, 2)
    fields = page.locator("[data-candidate] input")
    expect(fields).to_have_count(2)
    expect(page.locator("#outcome")).to_be_hidden()
    for key, orders in (("2", ["", "1"]), ("1", ["2", "1"]), ("2", ["1", ""]), ("2", ["1", "2"])):
        page.keyboard.press(key)
        assert [each.input_value() for each in fields.all()] == orders
    expect(page.locator("#outcome")).to_contain_text("Paid")
    names = [(each.get_attribute("name") or "").removeprefix("order:") for each in fields.all()]
    for key in "rry":
        page.keyboard.press(key)
    expect(page.locator("[role=status]").first).to_contain_text(", ".join(names))
    resolved = line_of(desk, REFERRAL, 2)["resolutions"][0]
    assert resolved["reason_code"] == "provider-called"
    page.keyboard.press("n")
    expect(page.locator(".tag").first).to_have_text("Waits")
    assert line_item(REFERRAL, 2) not in page.url


@pytest.mark.parametrize(
    ("claim", "line", "events"),
    [
        (OUTPATIENT, 3, "SPA-0020"),  # pended
        (DENTAL, 3, "SPA-0031"),  # denied
        (PROFESSIONAL, 4, "SPA-0009"),  # nothing found
    ],
)
def test_a_line_is_denied_without_a_script(desk: Desk, claim: str, line: int, events: str) -> None:
    """Tried first; with one of the adjustments that fit, and a reason; refused without one."""
    page = opened(desk, claim, line, java_script_enabled=False)
    expect(page.locator(".stays")).to_contain_text(events)
    page.get_by_text("Deny the line").first.click()
    form = page.locator("details[open] form")
    form.get_by_role("radio").first.check()
    form.get_by_label("Why, in your words").fill("as the <letter> says")
    form.get_by_role("button", name="Try").click()
    expect(page.locator("#outcome")).to_contain_text("Denied")
    assert line_of(desk, claim, line)["disposition"] == "suspend"
    form = page.locator("details[open] form")
    expect(form.get_by_label("Why, in your words")).to_have_value("as the <letter> says")
    form.get_by_role("button", name="Deny the line").click()
    expect(page.locator("[role=status]").first).to_contain_text("as the <letter> says")
    assert line_of(desk, claim, line)["disposition"] == "deny"


def test_the_second_of_two_examiners_is_told(desk: Desk) -> None:
    """What the first did; and the page shows the item as it stands now."""
    claim = sent(desk, "claim-professional", 2)
    first, second = opened(desk, claim, 2), opened(desk, claim, 2, "supervisor")
    for key in "ry":
        first.keyboard.press(key)
    expect(first.locator("[role=status]").first).to_contain_text("resolved by selecting")
    for key in "rry":
        second.keyboard.press(key)
    expect(second.locator("[role=alert]")).to_contain_text("session:examiner")
    expect(second.locator(".tag").first).to_have_text("Done")
    assert line_of(desk, claim, 2)["resolutions"][0]["reason_code"] == "records-reviewed"


def test_what_is_applied_and_does_not_suffice_is_told(desk: Desk) -> None:
    """The one unit is gone: what was selected stands, the exhausted line waits, and is denied."""
    page = opened(desk, DENTAL, 2)
    expect(page.locator("#outcome")).to_contain_text("SPA-0029")
    for key in "ry":
        page.keyboard.press(key)
    expect(page.locator(".note").first).to_contain_text("UM-70001")
    expect(page.locator(".stays")).to_contain_text("SPA-0029")
    assert line_of(desk, DENTAL, 2)["disposition"] == "suspend"
    decided_by_keys(page, "Deny the line")
    expect(page.locator(".head .tag").first).to_have_text("Done")
    line = line_of(desk, DENTAL, 2)
    assert (line["disposition"], line["adjustments"][0]["carc"]) == ("deny", "198")


def test_an_override_is_for_those_who_may(desk: Desk) -> None:
    """An examiner tries what is denied, and is told why it stays; others it says why."""
    page = opened(desk, PROFESSIONAL, 3)
    expect(page.locator("main")).to_contain_text("not certified (A3)")
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text(re.compile("Suspended|cannot|override"))


def test_all_of_the_member_say_why_they_were_left_out(desk: Desk, pictures: Path) -> None:
    """One key shows them, with both values; the place is kept."""
    page = opened(desk, PROFESSIONAL, 3)
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="All others of the member")).to_be_visible()
    expect(page.locator("main")).to_contain_text("RF-9")
    expect(page.locator("main")).to_contain_text("AU-00123")
    page.screenshot(path=pictures / "resolution-all.png", full_page=True)


def test_what_was_chosen_outlives_the_session(desk: Desk) -> None:
    """An examiner whose session ended signs in in another tab, and applies what he chose."""
    page = opened(desk, sent(desk, "claim-professional", 2), 2)
    expect(page.locator("#outcome")).to_contain_text("Paid")
    page.context.clear_cookies()
    for key in "ry":
        page.keyboard.press(key)
    expect(page.locator("h1")).to_have_text("Your session is over")
    expect(page.locator("main")).to_contain_text("records-reviewed")
    page.context.new_page().goto(desk.link("examiner"))
    page.get_by_role("button", name="I have signed in").click()
    expect(page.locator("h1")).to_have_text("Send it again?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[role=status]").first).to_contain_text("resolved by selecting")


def test_the_table_is_worked_by_keys(desk: Desk) -> None:
    """Down, up, take, open; what nobody has is given out next, and nothing when there is none."""
    page = desk.sit_down("supervisor")
    page.goto(f"{desk.url}/workbench/worklist?kind=suspended")
    rows = page.locator("[data-row]")
    for key in "jjk":
        page.keyboard.press(key)
    expect(rows.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("a")
    expect(page.locator("main")).to_contain_text("session:supervisor")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("j")
    expect(rows.first.locator("[data-open]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Suspended line")
    page.goto(f"{desk.url}/workbench/worklist?kind=review")
    expect(page.locator("main")).to_contain_text("Nothing waits here")
    page.keyboard.press("n")
    expect(page.locator("main")).to_contain_text("Nothing waits here")


DENY = {"group": "CO", "carc": "197"}
SELECT = {"action": "select", "reason_code": "clerical", "order:UM-55012": "1"}
REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "nothing": ({"x": ""}, 422, "/action"),
    "no action that there is": ({"action": "pay"}, 422, "/action"),
    "nothing chosen": ({"action": "select", "reason_code": "clerical"}, 422, "/authorizations"),
    "nobody's": (SELECT | {"order:NOPE": "2"}, 422, "no authorization of this member"),
    "no reason": (SELECT | {"reason_code": ""}, 422, "/reason_code"),
    "too long": (SELECT | {"reason": "x" * 5000}, 422, "/reason"),
    "not seen": (SELECT | {"etag": ""}, 428, "what was seen"),
    "seen otherwise": (SELECT | {"etag": '"0"'}, 412, "look at it again"),
    "an override that nobody may": (SELECT | {"step": "override", "reason": "r"}, 422, "/action"),
    "no adjustment": ({"action": "deny", "deny_with": "{", "reason_code": "x"}, 422, "/deny_with"),
    "a day that is over": (
        {"action": "request-information", "asked": "x", "until": "2020-01-01"},
        422,
        "/until",
    ),
}


def tag_in(page: str) -> str:
    """What the forms of an item say was seen."""
    found = re.search(r'name="etag" value="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def test_what_cannot_be_meant_is_told_over_the_form(desk: Desk) -> None:
    """With the place and the reason; nothing is moved, and what was typed is there."""
    claim = sent(desk, "claim-professional", 2)
    place = f"/workbench/worklist/{line_item(claim, 2)}"
    with desk.caller() as all_:
        tag = tag_in(all_.get(place).text)
        for name, (given, status, reason) in REFUSED.items():
            answer = all_.post(place, data={"step": "apply", "etag": tag} | given)
            assert (name, answer.status_code) == (name, status)
            assert reason in answer.text, name
            tag = tag_in(answer.text)
        tried = all_.post(place, data=SELECT | {"etag": tag})
        assert (tried.status_code, "Applying would" in tried.text) == (200, True)
    assert line_of(desk, claim, 2)["disposition"] == "suspend"


def test_two_adjudications_stand_side_by_side(desk: Desk) -> None:
    """The older one first, whichever is named first; what differs is marked."""
    claim = sent(desk, "claim-professional", 2)
    with desk.caller() as all_:
        item = all_.get(f"/worklist/{line_item(claim, 2)}").json()
        place = f"/worklist/{line_item(claim, 2)}/resolve"
        asked = {"action": "deny", "deny_with": DENY, "reason_code": "not-granted"}
        seen = {"if-match": item["etag"]}
        assert all_.post(place, json=asked, headers=seen).status_code == 200
        entries = [
            [each["entry"] for each in all_.get(f"/claims/{name}/history").json()["entries"]]
            for name in (claim, PROFESSIONAL)
        ]
        (last, first), others = entries
        both = f"/workbench/claims/{claim}/compare"
        for one, other in ((first, last), (last, first)):
            told = all_.get(both, params={"one": one, "other": other})
            was, now = (told.text.index(f"<mark>{each}</mark>") for each in ("Suspended", "Denied"))
            assert was < now
        told = all_.get(f"/claims/{claim}/compare", params={"one": last, "other": first}).json()
        assert [each["entry"]["entry"] for each in told["adjudications"]] == [first, last]
        assert {"path": "/lines/0/disposition", "was": "suspend", "now": "deny"} in told[
            "differences"
        ]
        same = all_.get(f"/claims/{claim}/compare", params={"one": last, "other": last}).json()
        assert same["differences"] == []
        assert "Decided since" in all_.get(f"/workbench/claims/{claim}").text
        for other, status in ((others[0], 404), ("9999999999999-0", 404), ("x", 422)):
            for place in (both, f"/claims/{claim}/compare"):
                refused = all_.get(place, params={"one": first, "other": other})
                assert (place, refused.status_code) == (place, status)


def tab_to(page: Page, name: str, tag: str) -> None:
    """Go on by Tab alone until something of this name has the focus."""
    script = """([name, tag]) => document.activeElement.matches(tag)
      && document.activeElement.innerText.trim().startsWith(name)"""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate(script, [name, tag]):
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def decided_by_keys(page: Page, action: str) -> None:
    """Open what may be done, go to its button, and press it; a reason, if there are any."""
    tab_to(page, action, "summary")
    page.keyboard.press("Enter")
    if page.locator("details[open] input[type=radio]").count():
        tab_to(page, "", "input[type=radio]")
        page.keyboard.press("Space")
    tab_to(page, action, "button")
    page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("example_", "line", "event", "action", "told"),
    [
        ("claim-outpatient", 3, "SPA-0020", "Deny the line", "denied"),  # pended
        ("claim-dental", 3, "SPA-0031", "Deny the line", "denied"),
        ("claim-dental", 2, "SPA-0040", "Raise another event", "SPA"),  # non-exact
        ("claim-professional", 4, "SPA-0009", "Leave it as it is", "Decided"),
    ],
)
def test_every_decision_needs_no_mouse(
    desk: Desk, example_: str, line: int, event: str, action: str, told: str
) -> None:
    """What has no key of its own is reached by Tab, Enter and Space, and says what was done."""
    claim = sent(desk, example_, line)
    page = opened(desk, claim, line)
    expect(page.locator(".stays")).to_contain_text(event)
    decided_by_keys(page, action)
    expect(page.locator("main")).to_contain_text(re.compile(told, re.IGNORECASE))
    expect(page.locator("[role=alert]")).to_have_count(0)


def raised(desk: Desk, kind: str) -> str:
    """The item of what an authorization that came late, or of two that somebody put there."""
    with desk.caller() as all_:
        if kind == "duplicate":
            asked = {"kind": kind, "authorizations": ["UM-55012", "UM-55020"], "reason": "one?"}
            return str(all_.post("/worklist", json=asked).json()["item_id"])
        assert all_.post("/adjudicate", json=example("late-claim")).status_code == 200
        body = authorization_body(
            authorization_id="UM-9002",
            number="AU-9002",
            member={"id": "M9002"},
            effective={"from": "2026-05-01", "to": "2026-06-30"},
        )
        assert all_.put("/authorizations/UM-9002", json=body).status_code == 201
        for _ in range(100):
            if items := all_.get("/worklist", params={"kind": kind}).json()["items"]:
                return str(items[0]["item_id"])
            time.sleep(0.1)
    raise AssertionError("no claim was offered the authorization that came")


@pytest.mark.parametrize(
    ("kind", "title", "action", "told"),
    [
        ("duplicate", "Duplicate grant", "Leave it as it is", "Left as it is"),
        ("late-authorization", "Late authorization", "Adjudicate anew", "Done"),
    ],
)
def test_what_is_of_no_line_needs_no_mouse(
    desk: Desk, kind: str, title: str, action: str, told: str
) -> None:
    """An authorization that came late, and two grants of one service."""
    page = desk.sit_down("examiner")
    page.goto(f"{desk.url}/workbench/worklist/{raised(desk, kind)}")
    expect(page.locator("h1")).to_have_text(title)
    decided_by_keys(page, action)
    expect(page.locator(".head .tag").first).to_have_text(told)
