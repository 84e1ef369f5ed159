"""Who sees a page, and what becomes of what was typed when nobody is known any more."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from service.domain.work_item import WorkItem, item_id, line_item
from tests.serving import client_of
from tests.workbench.conftest import Desk, key_of

TYPED = {"q": "no such thing"}


@pytest.fixture
def visitor(desk: Desk) -> Iterator[httpx.Client]:
    """A browser without a script, whose user has just signed in."""
    with client_of(desk.url) as one:
        link = urlsplit(desk.link("examiner"))
        opened = one.get(f"{link.path}?{link.query}")
        assert (opened.status_code, opened.headers["location"]) == (303, "/workbench")
        yield one


def token_in(page: str) -> str:
    """The token that the forms of a page send."""
    found = re.search(r'name="csrf_token" value="(\w+)"', page)
    assert found is not None
    return found[1]


def post(one: httpx.Client, desk: Desk, path: str, **fields: str) -> httpx.Response:
    """Send a form, as a browser does from a page of ours."""
    return one.post(f"/workbench{path}", data=fields, headers={"origin": desk.url})


def test_a_page_keeps_to_itself(visitor: httpx.Client) -> None:
    """No script or style in it, nothing of other hosts, nothing in caches or frames."""
    page = visitor.get("/workbench")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert re.findall(r"<style|style=|\son\w+=|<script(?! src)", page.text) == []
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', page.text)
    assert [each for each in addresses if not each.startswith(("/", "#"))] == []
    for each in (each for each in addresses if "/static/" in each):
        kept = visitor.get(each)
        assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True)
    assert visitor.get("/workbench/static/../visit.py").status_code == 404


@pytest.mark.parametrize("path", ["", "/claims/C-1", "/authorizations/A", "/members/M", "/search"])
def test_nobody_sees_a_page(desk: Desk, path: str) -> None:
    """Only where to sign in; a form of another site is not shown again either."""
    with client_of(desk.url) as nobody:
        page = nobody.get(f"/workbench{path}") if path != "/search" else None
        if page is not None:
            assert (page.status_code, "Sign in" in page.text) == (401, True)
        foreign = nobody.post(
            f"/workbench{path}", data=TYPED, headers={"origin": "https://evil.example"}
        )
        assert foreign.status_code in (401, 405)
        assert TYPED["q"] not in foreign.text


def test_what_was_typed_outlives_the_session(desk: Desk, visitor: httpx.Client) -> None:
    """It is shown when the session is over, again after signing in, and is sent at last."""
    token = token_in(visitor.get("/workbench").text)
    left = post(visitor, desk, "/search", csrf_token=token, q="<b>old</b>")
    assert (left.status_code, "&lt;b&gt;old&lt;/b&gt;" in left.text) == (200, True)
    signed_out = visitor.post("/session/sign-out", data={"csrf_token": token})
    assert signed_out.status_code == 303

    over = post(visitor, desk, "/search", csrf_token=token, **TYPED)
    assert (over.status_code, TYPED["q"] in over.text) == (401, True)
    assert token not in over.text

    link = urlsplit(desk.link("examiner"))
    visitor.get(f"{link.path}?{link.query}")
    again = post(visitor, desk, "/search", **TYPED)
    assert (again.status_code, TYPED["q"] in again.text) == (409, True)
    sent = post(visitor, desk, "/search", csrf_token=token_in(again.text), **TYPED)
    assert (sent.status_code, TYPED["q"] in sent.text) == (200, True)


def test_only_our_pages_send_forms(desk: Desk, visitor: httpx.Client) -> None:
    """Without the token, or from elsewhere, nothing is done."""
    token = token_in(visitor.get("/workbench").text)
    for origin, given in (("https://evil.example", token), (None, ""), ("null", token)):
        headers = {} if origin is None else {"origin": origin}
        answer = visitor.post(
            "/workbench/search", data={"csrf_token": given, **TYPED}, headers=headers
        )
        assert (answer.status_code, TYPED["q"] in answer.text) == (403, False)
    wrong = visitor.post("/workbench/search", json=TYPED, headers={"origin": desk.url})
    assert wrong.status_code == 415
    long = post(visitor, desk, "/search", csrf_token=token, q="x" * 20_000_000)
    assert long.status_code == 413
    many = post(
        visitor, desk, "/search", csrf_token=token, **{f"f{each}": "" for each in range(1001)}
    )
    assert many.status_code == 400


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("C-2026-000123", "/claims/C-2026-000123"),
        ("au 00123", "/authorizations/UM-55012"),
        ("AU-00098", "/authorizations/UM-55012"),
        (" UM-55012 ", "/authorizations/UM-55012"),
        ("M0001", "/members/M0001"),
        ("nobody", None),
        ("../x", None),
        ("x" * 5000, None),
        ("", None),
    ],
)
def test_search_leads_to_what_has_a_name(
    desk: Desk, visitor: httpx.Client, typed: str, leads_to: str | None
) -> None:
    """A claim, a number as it is typed, an old one, an authorization, a member; or nothing."""
    token = token_in(visitor.get("/workbench").text)
    answer = post(visitor, desk, "/search", csrf_token=token, q=typed)
    if leads_to is None:
        assert (answer.status_code, "Nothing that you may see" in answer.text) == (200, True)
        return
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/workbench{leads_to}"
    assert visitor.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize("name", ["x", "a" * 5000, "0" * 23 + "|"])
def test_what_names_no_item_is_not_taken(desk: Desk, visitor: httpx.Client, name: str) -> None:
    """It is told, before an engine is asked."""
    token = token_in(visitor.get("/workbench").text)
    refused = post(visitor, desk, "/worklist/assign", csrf_token=token, take=name)
    assert (refused.status_code, "/items/0" in refused.text) == (422, True)


def test_only_an_item_that_was_seen_is_undone(desk: Desk, visitor: httpx.Client) -> None:
    """The form says which it showed; another may have been decided since."""
    token = token_in(visitor.get("/workbench").text)
    item = line_item("C-2026-000123", 2)
    for etag, status in (({}, 428), ({"etag": '"0"'}, 412)):
        answer = post(visitor, desk, f"/worklist/{item}/undo", csrf_token=token, **etag)
        assert answer.status_code == status


def test_a_page_shows_what_scopes_allow(desk: Desk) -> None:
    """A program that only pushes sees no claim; one that may see charges alone no authorization."""
    with desk.caller() as all_:
        made = all_.post("/keys", json={"name": "few", "scopes": ["billing.charge.read"]})
        assert made.status_code == 201, made.text
    with client_of(desk.url, made.json()["key"]) as few:
        claim = few.get("/workbench/claims/C-2026-000123")
        assert claim.status_code == 200
        assert "UM-55012" not in claim.text
        assert "clinical.authorization.read" in claim.text
        for path in ("/authorizations/UM-55012", "/members/M0001"):
            refused = few.get(f"/workbench{path}")
            assert (refused.status_code, "clinical.authorization.read" in refused.text) == (
                403,
                True,
            )
        assert few.get("/workbench").status_code == 200
        found = few.post("/workbench/search", data={"q": "UM-55012"})
        assert "Nothing that you may see" in found.text


def test_pages_are_rows_of_the_audit_trail(desk: Desk) -> None:
    """As what the API answers is: who saw whose data."""
    with client_of(desk.url, key_of("auditor", desk.payer)) as auditor:
        assert auditor.get("/workbench/members/M0003").status_code == 200
        rows = auditor.get("/audit", params={"size": 20}).json()["rows"]
    assert "GET /workbench/members/{member_id}" in {each["what"] for each in rows}


def test_filters_are_saved_under_a_name(desk: Desk, visitor: httpx.Client) -> None:
    """For whoever saved them alone; thirty at most, and one is dropped again."""
    token = token_in(visitor.get("/workbench").text)
    place = "/worklist/filters?event=SPA-0016&sort=amount"
    assert post(visitor, desk, place, csrf_token=token, name="<b>Mine</b>").status_code == 303
    listed = visitor.get("/workbench/worklist").text
    saved = 'href="/workbench/worklist?event=SPA-0016&amp;sort=amount">&lt;b&gt;Mine'
    assert saved in listed
    with desk.caller("supervisor") as other:
        assert saved not in other.get("/workbench/worklist").text
        mine = {"name": "Ours", "filters": "?kind=review&whose=mine"}
        assert other.post("/worklist/filters", json=mine).json() == {"filters": [mine]}
        assert other.get("/worklist/filters").json() == {"filters": [mine]}
        for wrong in ("/x", "?a=<b>", "//evil.example", "?" + "x" * 500, 7, None):
            sent = {"name": "Wrong", "filters": wrong}
            assert other.post("/worklist/filters", json=sent).status_code == 422
        for _ in "twice":
            dropped = other.post("/worklist/filters/drop", json={"name": "Ours"})
            assert dropped.json() == {"filters": []}
    for number in range(29):
        post(visitor, desk, place, csrf_token=token, name=f"n{number}")
    for name, reason in (("", "/name"), ("x" * 61, "/name"), ("more", "30 filters")):
        refused = post(visitor, desk, place, csrf_token=token, name=name)
        assert (name, refused.status_code, reason in refused.text) == (name, 422, True)
    post(visitor, desk, place, csrf_token=token, drop="<b>Mine</b>")
    assert saved not in visitor.get("/workbench/worklist").text


def waiting(number: int) -> WorkItem:
    """Something that somebody put on the worklist."""
    return WorkItem(
        item_id=item_id("long", number),
        kind="duplicate",
        since=f"2026-10-{number % 28 + 1:02}T09:00:00+00:00",
        due=f"2027-01-{number % 28 + 1:02}T09:00:00+00:00",
        priority=9,
        authorizations={"UM-55012": number},
    )


def test_ten_thousand_items_are_paged(desk: Desk, visitor: httpx.Client) -> None:
    """Each page has fifty, the next one others, and the filters hold; all are counted."""
    items = [waiting(number) for number in range(10_000)]
    desk.meanwhile(lambda parts: parts.stores.worklist.found(desk.payer, items))
    place, seen = "/workbench/worklist?kind=duplicate&sort=newest", set[str]()
    for _ in range(3):
        page = visitor.get(place).text
        shown = set(re.findall(r'data-open href="/workbench/worklist/([0-9a-f]{24})', page))
        assert (len(shown), shown & seen, "10,000" in page) == (50, set(), True)
        seen |= shown
        (further,) = re.findall(r'href="([^"]+after=[^"]+)"', page)
        place = html.unescape(further)
        assert "kind=duplicate" in place
