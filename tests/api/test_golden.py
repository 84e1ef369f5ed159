"""The golden set over HTTP, on real engines: labels, conflicts, blind labelling, decisions."""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from tests.api.test_studies import (
    BY_TIN,
    CLAIMS,
    TODAY,
    claim,
    pushed,
    reported,
    studied,
    until_done,
)
from tests.builders import build_authorization
from tests.ground import Ground, separate
from tests.serving import client_of, keys_of, serving
from tests.tuning.building import edited

Json = dict[str, Any]
PAYERS = 40


@pytest.fixture(scope="module")
def offices(ground: Ground) -> Iterator[Iterator[httpx.Client]]:
    """Callers of one service, each of a payer of its own, who may act for others."""
    keys = [f"k-{number}" for number in range(PAYERS)]
    with separate(ground) as own:
        changed = {"api_keys": keys_of({each: f"payer-{each}" for each in (*keys, "other")})}
        settings = own.settings.model_copy(update=changed)
        with serving(settings, are_kept=True) as url:
            yield (client_of(url, each) for each in keys)


@pytest.fixture
def office(offices: Iterator[httpx.Client]) -> Iterator[httpx.Client]:
    """The caller of a payer that has authorizations of two members."""
    with next(offices) as client:
        for member in ("M-1", "M-2"):
            pushed(
                client, build_authorization(authorization_id=f"A-{member}", member={"id": member})
            )
        yield client


def label(claim_id: str, authorization: str | None, **more: Any) -> Json:
    """A label of the first line of a claim."""
    return {"claim_id": claim_id, "line": 1, "authorization": authorization, **more}


def send(client: httpx.Client, study: Json, by: str | None, *labels: Json) -> Json:
    """Label lines of a study, and give the answer."""
    body = {"study": study["id"], "labels": labels, "by": by}
    answer = client.post("/golden/labels", json=body)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


def test_people_label_without_seeing_the_answer(office: httpx.Client) -> None:
    """What the engine said comes with the answer to the label, and never before."""
    for each in CLAIMS:
        assert office.post("/adjudicate", json=each).status_code == 200
    study = studied(office, kept={"from": TODAY, "to": TODAY})
    ask = {"study": study["id"], "size": 50, "by": "ann"}
    shown = office.get("/golden/next", params=ask).json()

    assert shown["total"] == len(shown["lines"]) == 4
    assert "decided" not in str(shown)
    assert "match_class" not in str(shown)
    answer = send(office, study, "ann", label("agrees", "A-M-1"))
    assert (answer["stored"], answer["known"]) == (1, 0)
    assert answer["lines"][0]["decided"][0]["match_class"] == "exact"
    assert office.get("/golden/next", params=ask).json()["total"] == 3
    second = {**ask, "by": "kim", "second": True}
    (left,) = office.get("/golden/next", params=second).json()["lines"]
    assert left["claim_id"] == "agrees"


def test_a_label_is_never_changed(office: httpx.Client) -> None:
    """A later one of the person takes its place; the same again is known; all are exported."""
    study = studied(office, claims=CLAIMS)
    labels = label("agrees", "A-M-1"), label("nobody", None, **{"class": "none", "why": "no grant"})
    assert send(office, study, "ann", *labels)["stored"] == 2
    again = send(office, study, "ann", *labels)
    assert (again["stored"], again["known"]) == (0, 2)

    assert send(office, study, "kim", label("agrees", None))["lines"][0]["is_conflict"]
    listed = office.get("/golden/lines", params={"conflicts": True}).json()
    assert [each["claim_id"] for each in listed["lines"]] == ["agrees"]
    assert (listed["total"], listed["conflicts"], listed["by_two"]) == (2, 1, 1)
    send(office, study, "kim", label("agrees", "A-M-1"))
    assert office.get("/golden/lines").json()["conflicts"] == 0
    first = office.get("/golden/lines", params={"size": 1}).json()
    rest = office.get("/golden/lines", params={"size": 1, "after": first["next"]}).json()
    assert [each["lines"][0]["claim_id"] for each in (first, rest)] == ["agrees", "nobody"]
    assert (first["total"], rest["total"], rest["next"]) == (2, 2, None)
    assert first["hash"] == rest["hash"]
    for wrong in ("nowhere", "WzFd"):
        refused = office.get("/golden/lines", params={"after": wrong})
        assert refused.status_code == 422, refused.text
    exported = [orjson.loads(each) for each in office.get("/golden/labels").content.splitlines()]
    assert [(each["on_behalf_of"], each["authorization"]) for each in exported] == [
        ("ann", "A-M-1"),
        ("kim", None),
        ("kim", "A-M-1"),
        ("ann", None),
    ]
    other = {"X-API-Key": "other"}
    assert office.get("/golden/labels", headers=other).content == b""


def test_the_golden_set_is_a_study_and_says_what_is_right(office: httpx.Client) -> None:
    """A report without labels of its own takes those of the golden set; conflicts are left out."""
    study = studied(office, claims=CLAIMS)
    send(office, study, "ann", label("agrees", "A-M-1"), label("tin", "A-M-2"))
    send(office, study, "ann", label("late", "A-M-1"))
    send(office, study, "kim", label("late", None))
    golden = studied(office, golden=True)
    assert (golden["claims"], golden["source"]) == (3, "the golden set")

    report = reported(office, golden, BY_TIN)
    content = office.get(f"/reports/{report['id']}/content").json()
    recalls = [content["automatic"][each]["recall"] for each in ("before", "after")]
    assert [(each["right"], each["of"]) for each in recalls] == [(1, 2), (2, 2)]
    assert content["labels_hash"] == office.get("/golden/lines").json()["hash"]
    without = reported(office, golden, BY_TIN, labels=[])
    content = office.get(f"/reports/{without['id']}/content").json()
    assert content["labels_hash"] == ""


def test_examiners_decisions_become_labels(office: httpx.Client) -> None:
    """What was selected, by whom and why; once, and never over what the person said later."""
    selected = {"line": 1, "authorizations": [{"authorization_id": "A-M-1"}]}
    benefit = {"benefit": {"requested_type": "authorization"}}
    unlike = claim("unlike", "M-1", line={"procedure": "98940", **benefit})
    asked = {**unlike, "selections": [selected], "by": "kim", "reason": "the group is meant"}
    assert office.post("/adjudicate", json=asked).status_code == 200
    assert office.post("/adjudicate", json=CLAIMS[0]).status_code == 200

    period = {"from": TODAY, "to": TODAY}
    taken = [office.post("/golden/decisions", json=period).json() for _ in range(2)]
    assert taken == [{"stored": 1, "known": 0}, {"stored": 0, "known": 1}]
    (line,) = office.get("/golden/lines").json()["lines"]
    (said,) = line["labels"]
    assert (line["claim_id"], said["authorization"]) == ("unlike", "A-M-1")
    assert (said["on_behalf_of"], said["source"]) == ("kim", "decision")
    assert said["why"] == "the group is meant"
    study = studied(office, golden=True)
    send(office, study, "kim", label("unlike", None))
    assert office.post("/golden/decisions", json=period).json() == {"stored": 0, "known": 1}
    (line,) = office.get("/golden/lines").json()["lines"]
    assert line["labels"][0]["authorization"] is None


REFUSED: tuple[tuple[list[Json], str], ...] = (
    ([], "/labels"),
    ([label("gone", None)], "/labels/0/claim_id"),
    ([label("agrees", "A-M-1"), label("agrees", None)], "/labels/1"),
    ([label("agrees", "A-M-1"), label("agrees", "A-M-2", line=2)], "/labels/1/line"),
    ([label("agrees", "A-M-2")], "/labels/0/authorization"),
    ([label("agrees", "A-M-1", score=3)], "/labels/0/score"),
    ([label("agrees", "")], "/labels/0/authorization"),
    ([{"claim_id": "agrees", "line": 1}], "/labels/0/authorization"),
)


def test_labels_that_cannot_be_meant_are_refused(office: httpx.Client) -> None:
    """With their place; nothing of them is kept."""
    study = studied(office, claims=CLAIMS)
    for labels, path in REFUSED:
        answer = office.post("/golden/labels", json={"study": study["id"], "labels": labels})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["path"] == path
    assert office.get("/golden/labels").content == b""


def test_what_is_not_there_is_said(office: httpx.Client) -> None:
    """No such study; an empty golden set; a period that ends before it starts."""
    body = {"study": "0" * 16, "labels": [label("agrees", None)]}
    assert office.post("/golden/labels", json=body).status_code == 404
    assert office.get("/golden/next", params={"study": "0" * 16}).status_code == 404
    empty = studied(office, golden=True)
    assert (empty["status"], empty["reason"]) == ("failed", "there are no such claims")
    period = {"from": "2026-03-02", "to": "2026-03-01"}
    assert office.post("/golden/decisions", json=period).status_code == 422


TITLE = ("dental.yaml", "title: ", "title: New ")


def drafted(client: httpx.Client, study: Json | None, *edits: tuple[str, str, str]) -> Json:
    """A draft that was evaluated, with a report on a study, submitted by Ann, approved by Kim."""
    files = {file for file, _, _ in edits}
    changed = {name: text for name, text in edited(*edits).items() if name in files}
    body = {"title": "t", "reason": "r", "changed": changed, "by": "ann"}
    draft: Json = client.post("/rules/drafts", json=body).json()
    report: Json = {"id": None, "hash": None}
    if study is not None:
        begun = client.post("/reports", json={"study": study["id"], "draft": draft["id"]}).json()
        report = until_done(client, f"/reports/{begun['id']}")
    steps = (
        ("evaluate", {"by": "ann", "report": report["id"]}),
        ("submit", {"by": "ann"}),
        ("approve", {"by": "kim"}),
    )
    for step, asked in steps:
        answer = client.post(f"/rules/drafts/{draft['id']}/{step}", json={"reason": "r", **asked})
        assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    assert found["evaluation"]["report_hash"] == report["hash"]
    return found


def test_a_draft_whose_gates_hold_is_published_by_who_approved_it(office: httpx.Client) -> None:
    """A report of other texts is refused."""
    study = studied(office, claims=CLAIMS)
    draft = drafted(office, study, TITLE)
    assert draft["evaluation"]["gates_hold"] is True
    made = office.post(f"/rules/drafts/{draft['id']}/publish", json={"reason": "r", "by": "kim"})
    assert made.status_code == 201, made.text
    assert made.json()["despite_gates"] is None

    body = {"title": "t", "reason": "r", "changed": {"dental.yaml": "id: dental\n"}, "by": "ann"}
    other = office.post("/rules/drafts", json=body).json()
    asked = {"reason": "r", "report": draft["evaluation"]["report"]}
    refused = office.post(f"/rules/drafts/{other['id']}/evaluate", json=asked)
    assert refused.status_code in (409, 422)
    assert office.get(f"/rules/drafts/{other['id']}").json()["state"] == "draft"


def test_without_gates_a_second_approver_says_why(office: httpx.Client) -> None:
    """No report says that they hold: neither who wrote it nor who approved it publishes it."""
    draft = drafted(office, None, TITLE)
    path = f"/rules/drafts/{draft['id']}/publish"
    assert draft["evaluation"]["gates_hold"] is None

    asked: Json = {"reason": "r", "by": "kim"}
    refused = office.post(path, json=asked)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (409, "/despite_gates")
    asked["despite_gates"] = "the provider file is wrong until May"
    refused = office.post(path, json=asked)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (409, "/by")
    made = office.post(path, json={**asked, "by": "lee"})
    assert made.status_code == 201, made.text
    assert made.json()["despite_gates"] == "the provider file is wrong until May"
