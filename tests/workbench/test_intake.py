"""Intake in a browser: where a message is wrong, mended, tried again, told apart, dropped."""

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from service.application.intake import Letter
from service.workbench.intake import LAID_OUT_MAX, LINES_MAX, marked, shown_of
from tests.api.bodies import authorization_body
from tests.workbench.conftest import EXAMPLES, Desk


def refused(desk: Desk, **changes: Any) -> str:
    """Push what cannot be taken; gives the id of its letter."""
    body = authorization_body(authorization_id=changes["authorization_id"]) | changes
    with desk.caller() as all_:
        answer = all_.put(f"/authorizations/{body['authorization_id']}", json=body)
        assert answer.status_code in (409, 422), answer.text
    return str(answer.json()["dead_letter"])


def opened(desk: Desk, letter: str) -> Page:
    """An operator who opens a letter."""
    page = desk.sit_down("all")
    page.goto(f"{desk.url}/workbench/intake/{letter}")
    expect(page.locator("h1")).to_have_text("Dead letter")
    return page


def test_a_letter_is_mended_where_it_is_wrong(desk: Desk) -> None:
    """The place is marked; what is still wrong is said, and what was typed stays."""
    days = {"from": "2026-03-01", "to": "2026-02-01"}
    page = opened(desk, refused(desk, authorization_id="W-1", number="W-1", effective=days))
    expect(page.locator("pre mark")).to_have_text('"to": "2026-02-01"')
    field = page.get_by_label("Mended")
    text = field.input_value()
    field.fill(text.replace("2026-02-01", "2026-02-02"))
    page.get_by_role("button", name="Take it in as mended").click()
    expect(page.locator("[role=status]").first).to_contain_text("rejected")
    expect(field).to_have_value(text.replace("2026-02-01", "2026-02-02"))
    field.fill(text.replace("2026-02-01", "2026-12-01"))
    page.get_by_role("button", name="Take it in as mended").click()
    expect(page.locator(".tag").first).to_have_text("Resolved")
    with desk.caller() as all_:
        assert all_.get("/authorizations/W-1").status_code == 200


def test_two_grants_of_one_number_are_told_apart(desk: Desk) -> None:
    """Side by side; what differs is marked, and a person says what it is."""
    with desk.caller() as all_:
        body = authorization_body(authorization_id="W-2", number="W-2")
        assert all_.put("/authorizations/W-2", json=body).status_code == 201
    page = opened(desk, refused(desk, authorization_id="W-3", number="w 2"))
    expect(page.locator("main")).to_contain_text("Beside the one on file")
    page.get_by_role("button", name="A grant of its own").click()
    expect(page.locator(".tag").first).to_have_text("Resolved")


def test_a_letter_is_dropped_with_a_reason(desk: Desk) -> None:
    """Without one it stays."""
    page = opened(desk, refused(desk, authorization_id="W-4", kind="unknown"))
    page.get_by_label("Why").fill("sent by mistake")
    page.get_by_role("button", name="Drop").click()
    expect(page.locator("main")).to_contain_text("sent by mistake")
    page.goto(f"{desk.url}/workbench/intake")
    expect(page.locator("h1")).to_have_text("Intake")


def letter_of(content: str, format_: Any = "json", errors: Any = ()) -> Letter:
    """A letter with errors."""
    return Letter(
        id="L",
        format=format_,
        code="invalid",
        reason="",
        origin="",
        kept_at="",
        last_at="",
        content_bytes=len(content),
        is_whole=True,
        content=content.encode(),
        errors=tuple(errors),
    )


@pytest.mark.parametrize(
    ("content", "path", "lines"),
    [
        ('{"a": {"b": [1, 2]}}', "/a/b/1", ["2"]),
        ('{"a": {"b": [1, 2]}}', "/a/c/d", ['"a": {']),
        ('{"a": 1}', "/x", ["{"]),
        ('{"x/y": {"~": null}}', "/x~1y/~0", ['"~": null']),
        ("[[], {}]", "/1", ["{}"]),
        ("7", "", []),
        ("{", "/a", []),
    ],
)
def test_the_nearest_place_is_marked(content: str, path: str, lines: list[str]) -> None:
    """What is missing is marked where it should stand; the lines say what was sent."""
    one = letter_of(content, errors=[{"path": path, "message": ""}])
    found = list(marked(one, content))
    assert [text.strip().rstrip(",") for text, is_wrong in found if is_wrong] == lines
    text = "\n".join(text for text, _ in found)
    if content != "{":
        assert json.loads(text) == json.loads(content)


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1, "a": 2}',
        '{"a": "\\ud800"}',
        '{"a": ' * 990 + "1" + "}" * 990,
        "[" * 20_000,
        '{"a": ' + "9" * 5000 + "}",
        '{\n  "a": 1.10\n}',
    ],
    ids=["a key twice", "half a surrogate", "deep", "deeper", "a long number", "a last nought"],
)
def test_nothing_is_lost_of_what_was_sent(content: str) -> None:
    """What cannot be laid out is shown as it came; numbers keep how they were written."""
    found = marked(letter_of(content), content)
    assert "\n".join(text for text, _ in found) == content


def test_the_segment_is_marked_if_it_is_the_one_that_is_named() -> None:
    """Counted from the ST of its transaction set."""
    content = (EXAMPLES / "authorization.278.x12").read_text(encoding="utf-8")
    segments = [text for text, _ in marked(letter_of(content, "x12"), content)]
    start = next(n for n, each in enumerate(segments) if each.startswith("ST"))
    place = next(n for n, each in enumerate(segments) if each.startswith("HCR"))
    for segment, count in (("HCR", 1), ("NM1", 0)):
        error = {"segment": segment, "position": place - start + 1}
        found = [
            each for each, wrong in marked(letter_of(content, "x12", [error]), content) if wrong
        ]
        assert (len(found), *[each[:3] for each in found]) == (count, *["HCR"] * count)


def test_a_long_message_is_not_laid_out_whole() -> None:
    """Of X12 the part with the first error is shown, of anything else the beginning."""
    segments = [f"NTE*{number}~" for number in range(30_000)]
    content = "".join(["ST*278*1~", *segments])
    error = {"segment": "NTE", "position": 25_002}
    shown, is_whole = shown_of(letter_of(content, "x12", [error]), content)
    assert (len(shown), is_whole) == (LINES_MAX, False)
    assert [text for text, wrong in shown if wrong] == ["NTE*25000~"]
    endless = "NTE*" + "9" * 3_000_000
    for text, format_ in ((json.dumps({"a": "x" * 3_000_000}), "json"), (endless, "x12")):
        (line,), is_whole = shown_of(letter_of(text, format_), text)
        assert (len(line[0]) <= LAID_OUT_MAX, is_whole) == (True, False)


def test_what_came_is_told_by_sender_and_format(desk: Desk) -> None:
    """With how often it was refused, and how many answers in X12 were written."""
    refused(desk, authorization_id="W-5", kind="unknown")
    with desk.caller() as all_:
        edi = (EXAMPLES / "authorization.278.x12").read_bytes()
        assert all_.post("/x12", content=edi, headers={"content-type": "application/edi-x12"})
        told = all_.get("/intake").json()
        text = all_.get("/workbench/intake").text
    rows = re.findall(r"<th scope=\"row\">([^<]+)</th><td>([^<]+)</td><td[^>]+>(\d+)<", text)
    assert ("key:all", "X12 278", "1") in rows
    assert {way for _, way, _ in rows} >= {"JSON, one by one", "JSON, as a stream"}
    assert re.search(r"[1-9]\d* acknowledgement", text)
    assert [(each["by"], each["format"], str(each["rows"])) for each in told["came"]] == rows
    assert (told["waiting"], told["x12_written"] > 0) == (0, True)


def test_only_operators_see_letters(desk: Desk) -> None:
    """An examiner is told which scope it needs; what is not there is not there."""
    with desk.caller("examiner") as examiner, desk.caller("ops-author") as operator:
        assert examiner.get("/workbench/intake").status_code == 403
        assert operator.get("/workbench/intake").status_code == 200
        assert operator.get("/workbench/intake/nothing").status_code == 404
        assert httpx.get(f"{desk.url}/workbench/intake", trust_env=False).status_code == 401
