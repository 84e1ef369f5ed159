"""The rules studio: a change from its text to its publication by two people, checked inline."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from service.application.parts import Application
from service.stores.studies.studies import Head
from tests.api.story import until
from tests.ground import Ground, separate
from tests.workbench.browser import barriers, complaints, is_too_wide
from tests.workbench.conftest import Desk, example, furnished

FILE = "base.yaml"
AT = "2026-06-01T12:00:00.000+00:00"
COUNTS = {"right": 50, "wrong": 0}
SUGGESTED = {
    "says": "of 50 labelled lines 50 rightly and 0 wrongly",
    **dict.fromkeys(("now", "suggested", "unseen"), COUNTS),
    "changes": ["base: non exact, min 60 -> 55"],
    "draft": "d0123456789abcdef",
    "report": "0123456789abcdef",
}


@pytest.fixture(scope="module")
def studio(ground: Ground) -> Iterator[Ground]:
    """Indices whose rules may be changed."""
    with separate(ground) as own:
        yield own


@pytest.fixture(scope="module")
def desk(studio: Ground, browser: Browser) -> Iterator[Desk]:
    """A service by the rules that are kept there."""
    with furnished(studio, browser, are_kept=True) as one:
        yield one


def step(page: Page, summary: str, button: str, why: str) -> None:
    """Take a step of a draft's life, with its reason."""
    place = page.locator("details", has=page.get_by_text(summary, exact=True)).first
    if place.get_attribute("open") is None:
        place.locator("summary").click()
    place.get_by_label("Why", exact=True).fill(why)
    place.get_by_role("button", name=button).click()


def test_a_change_goes_its_way(desk: Desk, pictures: Path) -> None:
    """Wrong text is told where it stands; another one approves; it is in force, and rolled back."""
    author, approver = desk.sit_down("ops-author"), desk.sit_down("ops-approver")
    said = complaints(author)
    author.goto(f"{desk.url}/workbench/rules")
    author.get_by_label("File").select_option(FILE)
    author.get_by_role("button", name="Begin a draft").click()
    field = author.get_by_label(FILE)
    text = field.input_value()
    assert "min: 60" in text
    author.get_by_label("What it changes").fill("A lower threshold")
    author.get_by_label("Why").fill("too many wait")
    field.fill(text.replace("id: base", "id: 7", 1))
    author.get_by_role("button", name="Keep it as a draft").click()
    expect(author.locator("[role=alert]")).to_contain_text(FILE)
    field = author.get_by_label(FILE)
    field.fill(text.replace("min: 60", "min: 55", 1))
    author.locator("form", has=field).get_by_label("Why").fill("mended")
    author.get_by_role("button", name="Save and check").click()
    expect(author.locator("[role=status]").first).to_contain_text("Nothing is wrong")
    expect(author.locator("main")).to_contain_text("55")
    assert (barriers(author), is_too_wide(author), said) == ([], False, [])
    author.screenshot(path=pictures / "draft.png", full_page=True)
    step(author, "Evaluate", "Note it as evaluated", "read through")
    step(author, "Ask for a review", "Ask for a review", "please look")
    address = author.url
    expect(author.get_by_text("Approve what is shown here")).to_have_count(0)

    approver.goto(address)
    step(approver, "Approve", "Approve what is shown here", "agreed")
    approver.get_by_label("Why without gates").fill("no golden set yet")
    step(approver, "Publish", "Put it in force", "go")
    expect(approver.locator("[role=alert]")).to_contain_text("who wrote or approved a draft")
    other = desk.sit_down("all")
    other.goto(address)
    other.get_by_label("Why without gates").fill("no golden set yet")
    step(other, "Publish", "Put it in force", "go")
    expect(other.locator(".tag").first).to_have_text("Published")

    approver.goto(f"{desk.url}/workbench/rules")
    expect(approver.locator("main")).to_contain_text("A lower threshold")
    assert (barriers(approver), is_too_wide(approver)) == ([], False)
    approver.screenshot(path=pictures / "rules.png", full_page=True)
    step(approver, "Roll back", "Put it in force, at once", "too low")
    expect(approver.locator("main")).to_contain_text("restores set 1")
    with desk.caller("all") as all_:
        assert 'name="over" value="' in all_.get("/workbench/rules").text
        back = {"to": "1", "over": "99", "reason": "x"}
        assert all_.post("/workbench/rules/rollback", data=back).status_code == 409


CHANGES = (
    ("title: Professional claim line", 'title: "Line: professional"'),
    ("scope: [procedure.from, procedure.group]", "scope: [procedure.group, procedure.from]"),
    ("\n    on_claim_missing: skip_and_bar_exact\n", "\n    on_claim_missing: skip\n"),
)


def test_a_claim_is_tried_while_a_template_is_changed_by_its_form(
    desk: Desk, pictures: Path
) -> None:
    """What is set in a field is set in the text; what comes out stands beside what does now."""
    with desk.caller("ops-author") as author:
        text = author.get("/rules/sets/1").json()["texts"]["professional.yaml"]
        begun = {"title": "Dates", "reason": "R", "changed": {"professional.yaml": f"# m\n{text}"}}
        draft = author.post("/rules/drafts", json=begun).json()["id"]
    page = desk.sit_down("ops-author")
    said = complaints(page)
    page.goto(f"{desk.url}/workbench/rules/drafts/{draft}")
    page.get_by_text("As a form").click()
    page.get_by_label("inside: weight").fill("30")
    page.get_by_label("overlaps: weight").fill("7")
    page.get_by_label("title", exact=True).fill("Line: professional")
    procedure = page.get_by_role("group", name="Criteria procedure")
    procedure.get_by_label("scope").fill("procedure.group, procedure.from")
    procedure.get_by_label("on claim missing").select_option("skip")
    tried = page.locator("#tried")
    page.get_by_label("A claim as JSON").fill("C-2026-000123")
    expect(tried).to_contain_text("must not be above dates.overlaps (7)", timeout=30_000)
    expect(page.locator("[data-checks]").first).to_contain_text("dates.tolerance")
    page.get_by_label("overlaps: weight").fill("9")
    expect(tried.get_by_role("heading", name="Line 2", exact=True)).to_be_visible(timeout=30_000)
    expect(tried).to_contain_text("By what is typed")
    assert (barriers(page), is_too_wide(page), said) == ([], False, [])
    page.screenshot(path=pictures / "tried.png", full_page=True)
    page.get_by_label("Why", exact=True).last.fill("dates count more")
    page.get_by_role("button", name="Save and check").click()
    expect(page.locator("main")).to_contain_text("weight 20 -> 30")
    with desk.caller("ops-author") as author:
        changed = author.get(f"/rules/drafts/{draft}").json()["changed"]["professional.yaml"]
    for was, now in (("effective, weight: 20", "effective, weight: 30"), (" 10}", " 9}"), *CHANGES):
        assert was in text
        assert now in changed
    assert changed.startswith("# m\n")
    step(page, "Try it on live claims", "Begin", "a look")
    expect(page.locator("main")).to_contain_text("10 % of the claims are judged beside")
    live = page.locator("section", has=page.get_by_role("heading", name="On live claims"))
    live.get_by_label("Why").fill("enough")
    live.get_by_role("button", name="Try it no more").click()
    expect(page.locator("main")).to_contain_text("Try it on live claims")


def test_a_study_is_asked_for(desk: Desk) -> None:
    """It is made beside all else; how far it is stands in the list."""
    page = desk.sit_down("all")
    page.goto(f"{desk.url}/workbench/rules")
    page.get_by_label("Name").fill("June")
    page.get_by_label("Of").select_option("golden")
    page.get_by_role("button", name="Make a study").click()
    expect(page.locator("main")).to_contain_text("June")


async def write(payer: str, head: Head, parts: Application) -> None:
    """Write how far a suggestion is, as whoever makes it does."""
    await parts.stores.studies.write(payer, head)


def test_a_suggestion_says_what_it_comes_to(desk: Desk) -> None:
    """With its draft and its report; else how far it is, or why it failed."""
    with desk.caller() as all_:
        wrong = all_.post("/workbench/rules/suggestions", data={"study": "x", "reason": "r"})
        assert (wrong.status_code, "/study" in wrong.text) == (422, True)
        unknown = {"study": "0" * 16, "reason": "r"}
        assert all_.post("/workbench/rules/suggestions", data=unknown).status_code == 404
        told: list[tuple[Any, dict[str, Any], str]] = [
            ("done", SUGGESTED, "rightly and 0 wrongly"),
            ("running", {"doing": "17 tried"}, "17 tried"),
            ("failed", {"reason": "too few labels"}, "too few labels"),
        ]
        for number, (status, said, words) in enumerate(told):
            id_ = f"{number:016x}"
            head = Head(
                kind="suggestion", id=id_, status=status, at=AT, beat=AT, by="key:all", said=said
            )
            desk.meanwhile(partial(write, desk.payer, head))
            text = all_.get(f"/workbench/rules/suggestions/{id_}").text
            assert words in text
            assert ("Its draft" in text) == (status == "done")
        assert "17 tried" in all_.get("/workbench/rules").text
        assert all_.get(f"/workbench/rules/suggestions/{'f' * 16}").status_code == 404


def test_a_key_is_swept(desk: Desk) -> None:
    """Over a study of claims that were sent; what cannot be swept is told over what was typed."""
    with desk.caller() as all_:
        asked = {"name": "S", "claims": [example("claim-professional")]}
        study = all_.post("/studies", json=asked).json()["id"]
        until(lambda: all_.get(f"/studies/{study}").json()["status"] == "done")
        asked = {"study": study, "key": "base.yaml:non_exact.min", "values": "60,75"}
        swept = all_.post("/workbench/rules/sweep", data=asked)
        assert (swept.status_code, "<mark>60</mark>" in swept.text) == (200, True)
        assert re.findall(r"non_exact.min, 4 lines; it is (\d+)", swept.text) == ["60"]
        for changes, status, reason in (
            ({"values": "60,95"}, 422, "base.yaml"),
            ({"values": "a"}, 422, "whole numbers"),
            ({"values": "1..9999"}, 422, "from 1 to"),
            ({"values": "1..5/0"}, 422, "whole numbers"),
            ({"key": "base.yaml"}, 422, "a file and a key"),
            ({"key": "base.yaml:a.b.c"}, 422, "a.b.c"),
            ({"study": "x" * 16}, 404, "no study"),
        ):
            wrong = all_.post("/workbench/rules/sweep", data=asked | changes)
            assert (changes, wrong.status_code, reason in wrong.text) == (changes, status, True)


CLAIM = {"claim": "C-2026-000123"}
FIELD = "set:base.yaml:60:non_exact/min"
WRONG_TRIES: list[tuple[dict[str, str], int, str]] = [
    ({}, 422, "/claim"),
    ({"claim": "nobody"}, 404, "claim"),
    ({"claim": "{"}, 400, "JSON"),
    ({"claim": '{"claim_id": "C-1"}'}, 422, "/member"),
    (CLAIM | {FIELD: "many"}, 422, "non_exact min takes a number"),
    (CLAIM | {"set:base.yaml:1:a/b": "2"}, 422, "any more"),
    (CLAIM | {FIELD: "50", "set:x": "1"}, 422, "any more"),
]


WRONG_ASKED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 422, "/claim"),
    ({"claim": example("claim-dental"), "claim_id": "C-1"}, 422, "/claim"),
    ({"claim_id": "nobody"}, 404, "claim"),
    ({"claim": {"claim_id": "C-1"}}, 422, "/claim/member"),
    ({"claim_id": "C-1", "changed": {"../x.yaml": ""}}, 422, "/changed"),
]


def test_what_cannot_be_meant_is_told(desk: Desk) -> None:
    """No such step, no scope, no reason, a draft of nobody; or one that others changed since."""
    with desk.caller("all") as all_, desk.caller("auditor") as auditor:
        text = all_.get("/rules/sets/1").json()["texts"][FILE]
        changed = {FILE: text.replace("min: 60", "min: 50", 1)}
        begun = {"title": "T", "reason": "R", "changed": changed}
        draft = all_.post("/rules/drafts", json=begun).json()["id"]
        place = f"/workbench/rules/drafts/{draft}"
        assert all_.post("/adjudicate", json=example("claim-professional")).is_success
        for given, status in (
            ({"step": "nothing"}, 422),
            ({"step": "drop"}, 422),
            ({"step": "publish", "reason": "x"}, 409),
            ({"step": "evaluate", "reason": "x", "report": "0" * 16}, 404),
        ):
            answer = all_.post(place, data=given)
            assert (answer.status_code, "Nothing was changed" in answer.text) == (status, True)
        for given, status, reason in WRONG_TRIES:
            answer = all_.post(place, data={"step": "try", f"text:{FILE}": text} | given)
            assert (given, answer.status_code, reason in answer.text) == (given, status, True)
        refused = auditor.post(place, data={"step": "drop", "reason": "x"})
        assert (refused.status_code, "rules.edit" in refused.text) == (403, True)
        assert all_.get("/workbench/rules/drafts/d0000000000000000").status_code == 404
        assert all_.get("/workbench/rules/drafts/new?file=../x.yaml").status_code == 422
        seen = all_.get(f"/rules/drafts/{draft}").json()["content"]
        for gone, status in (("loads/x.yaml", 422), ("dental.yaml", 303)):
            saved = {"step": "save", "reason": "x", "content": seen, f"gone:{gone}": ""}
            assert all_.post(place, data=saved).status_code == status
        kept = all_.get(f"/rules/drafts/{draft}").json()["changed"]
        assert kept == {"dental.yaml": None}
        assert "gone:dental.yaml" in all_.get(place).text
        late = all_.post(place, data={**saved, f"text:{FILE}": f"{text}# mine"})
        assert (late.status_code, "# mine" in late.text) == (409, True)
        assert all_.get(f"/rules/drafts/{draft}").json()["changed"] == kept
        same = all_.post(
            "/workbench/rules/drafts/new",
            data={"title": "kept title", "reason": "R", f"text:{FILE}": text},
        )
        assert (same.status_code, "kept title" in same.text) == (422, True)


def test_a_claim_is_tried_by_a_draft(desk: Desk) -> None:
    """As it is, or by other texts, beside the rules in force; by whom may edit rules alone."""
    with desk.caller("all") as all_, desk.caller("auditor") as auditor:
        text = all_.get("/rules/sets/1").json()["texts"][FILE]
        changed = {FILE: text.replace("min: 60", "min: 50", 1)}
        begun = {"title": "T", "reason": "R", "changed": changed}
        draft = all_.post("/rules/drafts", json=begun).json()["id"]
        for given, status, where in WRONG_ASKED:
            answer = all_.post(f"/rules/drafts/{draft}/try", json=given)
            assert (given, answer.status_code, where in answer.text) == (given, status, True)
        tried = all_.post(f"/rules/drafts/{draft}/try", json={"claim_id": CLAIM["claim"]}).json()
        assert [len(tried[each]["lines"]) for each in ("before", "after")] == [4, 4]
        assert tried["problems"] == []
        broken = {"claim": example("claim-dental"), "changed": {FILE: "id: base\nmin: ["}}
        told = all_.post(f"/rules/drafts/{draft}/try", json=broken).json()
        assert (bool(told["problems"]), told["before"], told["after"]) == (True, None, None)
        refused = auditor.post(f"/rules/drafts/{draft}/try", json=broken)
        assert (refused.status_code, "rules.edit" in refused.text) == (403, True)
