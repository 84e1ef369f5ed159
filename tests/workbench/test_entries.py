"""Entered by hand in a browser: with the letter, what is wrong is said, a second person looks."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.papers import PDF, PNG
from tests.workbench.conftest import Desk


def typed(page: Page, desk: Desk, name: str) -> None:
    """The form, filled in."""
    page.goto(f"{desk.url}/workbench/entry")
    for label, value in (
        ("Id here", name), ("Authorization number", f"N {name}"), ("Member id", "M-77"),
        ("From", "2026-05-01"), ("To", "2026-10-31"), ("Units", "20"),
        ("Procedure codes, none for any", "97110, 97140"),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(value)


def test_an_authorization_is_entered_with_its_letter(desk: Desk, tmp_path: Path) -> None:
    """Without it, it waits; what is no document is refused on the page; with it, it counts."""
    letter, lies = tmp_path / "letter.pdf", tmp_path / "lies.pdf"
    letter.write_bytes(PDF)
    lies.write_bytes(b"MZ")
    page = desk.sit_down("examiner")
    typed(page, desk, "E-1")
    page.get_by_label("Member id").fill("")
    page.get_by_label("Member id").evaluate("each => each.required = false")
    page.get_by_role("button", name="Enter", exact=True).click()
    expect(page.locator("[role=alert]")).to_contain_text("/authorization/member/id")
    expect(page.get_by_label("Units", exact=True)).to_have_value("20")
    page.get_by_label("Member id").fill("M-77")
    page.get_by_role("button", name="Enter", exact=True).click()
    expect(page.locator("main")).to_contain_text("Entered by hand, and waits")

    page.get_by_label("PDF, JPEG, PNG or TIFF").set_input_files(lies)
    page.get_by_role("button", name="Add").click()
    expect(page.locator("[role=alert]")).to_contain_text("it is none of PDF, JPEG, PNG and TIFF")
    page.get_by_label("PDF, JPEG, PNG or TIFF").set_input_files(letter)
    page.get_by_role("button", name="Add").click()
    expect(page.locator("main")).not_to_contain_text("Entered by hand, and waits")
    with page.expect_download() as download:
        page.get_by_role("link", name="Letter").click()
    assert download.value.path().read_bytes() == PDF

    typed(page, desk, "E-2")
    page.get_by_label("Document (PDF").set_input_files(letter)
    page.get_by_role("button", name="Enter", exact=True).click()
    expect(page.locator("h1")).to_contain_text("N E-2")
    with desk.caller() as all_:
        stands = all_.get("/authorizations/E-2", params={"on": "2026-06-01"}).json()
    assert stands["state"]["status"] == "ACTIVE"
    assert [each["procedure"]["from"] for each in stands["authorization"]["lines"]] == [
        "97110",
        "97140",
    ]


@pytest.mark.parametrize("step", ["Confirm", "Refuse"])
def test_who_entered_it_cannot_look_a_second_time(desk: Desk, step: str) -> None:
    """It is said on the page; refusing needs a reason."""
    with desk.caller("examiner") as examiner:
        body = {"authorization_id": f"E-{step}", "number": f"N-{step}", "kind": "authorization",
                "setting": "professional", "member": {"id": "M-78"},
                "effective": {"from": "2026-05-01"}}  # fmt: skip
        entered = examiner.post("/manual-entries", json={"authorization": body})
        assert entered.status_code == 201, entered.text
        added = examiner.post(f"/authorizations/E-{step}/documents", content=PNG)
        assert added.json()["entry"]["status"] == "ENTERED"
    page = desk.sit_down("examiner")
    page.goto(f"{desk.url}/workbench/authorizations/E-{step}")
    expect(page.locator("main")).to_contain_text("image/png")
    expect(page.get_by_role("button", name=step)).to_have_count(0)
