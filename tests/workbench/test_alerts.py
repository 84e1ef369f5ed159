"""Alerts in a browser: seen at home, dismissed with a reason, chosen, and fetched by a calendar."""

import httpx
from playwright.sync_api import expect

from tests.api.test_alerts import push, use
from tests.workbench.conftest import Desk


def test_alerts_are_seen_dismissed_and_chosen(desk: Desk) -> None:
    """What is mostly used is counted at home; a reason is needed; nothing typed is lost."""
    with desk.caller() as all_:
        push(all_, "A-9", limits={"units": "20", "unit": "UN"}, member={"id": "M-9"})
        use(all_, 17, "C-9", member={"id": "M-9"})
    page = desk.sit_down("examiner")
    page.goto(f"{desk.url}/workbench")
    page.locator("main").get_by_role("link", name="1", exact=True).click()
    row = page.locator("tr[data-row]")
    expect(row).to_contain_text("17 of 20 UN used or reserved")
    row.get_by_label("Why").fill("a renewal is asked for")
    row.get_by_role("button", name="Dismiss").click()
    expect(page.locator("main")).to_contain_text("There is none.")
    page.get_by_role("link", name="Dismissed").click()
    expect(page.locator("tr[data-row]")).to_contain_text("a renewal is asked for")

    page.goto(f"{desk.url}/workbench/alerts")
    page.get_by_label("Mostly used").check()
    page.get_by_role("button", name="Choose").click()
    expect(page.get_by_label("Mostly used")).to_be_checked()
    expect(page.get_by_label("Ends soon")).not_to_be_checked()
    page.get_by_role("button", name="Make an address of my calendar").click()
    place = page.locator("[role=status] code").inner_text()
    assert httpx.get(place, trust_env=False).text.startswith("BEGIN:VCALENDAR")
    page.goto(f"{desk.url}/workbench/alerts")
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("button", name="End it")).to_have_count(0)
    assert httpx.get(place, trust_env=False).status_code == 404
