"""A draft that the golden set speaks for, over HTTP and by command, on real engines."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.test_golden import office as office
from tests.api.test_golden import offices as offices
from tests.api.test_studies import claim, pushed, studied, until_done
from tests.builders import build_authorization

Json = dict[str, Any]

ASKED = {"reason": "labels of March", "seed": 3, "parts": 2, "tries": 12, "by": "ann"}
TIN = {"rendering_provider": {"npi": "1588888887", "tin": "741234567"}}


@pytest.fixture
def labelled(office: httpx.Client) -> Iterator[tuple[httpx.Client, Json]]:
    """A study of claims by another provider of the group, which people found right."""
    pushed(office, build_authorization(authorization_id="A-T", member={"id": "M-T"}))
    study = studied(office, claims=[claim(f"T-{at}", "M-T", **TIN) for at in range(52)])
    labels = [{"claim_id": f"T-{at}", "line": 1, "authorization": "A-T"} for at in range(52)]
    body = {"study": study["id"], "labels": labels, "by": "kim"}
    assert office.post("/golden/labels", json=body).status_code == 201
    yield office, study


def test_a_draft_is_suggested_with_its_report_and_published_by_people_alone(
    labelled: tuple[httpx.Client, Json],
) -> None:
    """By whoever asked for it; its figures stand in the history, and nothing is in force by it."""
    client, study = labelled
    before = client.get("/rules").json()
    begun = client.post("/rules/suggestions", json={"study": study["id"], **ASKED})
    assert begun.status_code == 202, begun.text
    path = f"/rules/suggestions/{begun.json()['id']}"
    done = until_done(client, path)

    assert done["status"] == "done", done
    counts = [(done[name]["right"], done[name]["wrong"]) for name in ("now", "suggested", "unseen")]
    assert counts == [(0, 0), (52, 0), (52, 0)]
    assert done["holds"]
    draft = client.get(f"/rules/drafts/{done['draft']}").json()
    assert draft["state"] == "draft"
    assert draft["authors"] == [{"by": "key:environment", "on_behalf_of": "ann"}]
    assert draft["last"]["reason"] == f"labels of March ({done['says']})"
    report = client.get(f"/reports/{done['report']}/content").json()
    assert report["automatic"]["after"]["precision"]["right"] == 52
    assert report["study"]["id"] == study["id"]
    evaluate = {"reason": "r", "by": "ann", "report": done["report"]}
    answer = client.post(f"/rules/drafts/{done['draft']}/evaluate", json=evaluate)
    assert answer.json()["state"] == "evaluated", answer.text
    own = {"reason": "r", "by": "ann"}
    client.post(f"/rules/drafts/{done['draft']}/submit", json=own)
    refused = client.post(f"/rules/drafts/{done['draft']}/approve", json=own)
    assert refused.status_code == 409
    assert client.get("/rules").json() == before
    assert client.get("/rules/suggestions").json()["suggestions"] == [done]
    other = {"X-API-Key": "other"}
    assert client.get(path, headers=other).status_code == 404
    assert client.get("/rules/suggestions", headers=other).json()["total"] == 0


REFUSED: tuple[tuple[Json, int, str | None], ...] = (
    ({"study": "0" * 16}, 404, None),
    ({"study": "no id"}, 422, "/study"),
    ({"parts": 1}, 422, "/parts"),
    ({"tries": 0}, 422, "/tries"),
    ({"tries": 10**9}, 422, "/tries"),
    ({"seed": -1}, 422, "/seed"),
    ({"seed": 1.5}, 422, "/seed"),
    ({"reason": " "}, 422, "/reason"),
    ({"weights": [1]}, 422, "/weights"),
    ({}, 422, "/study"),
)


def test_a_suggestion_that_cannot_be_made_is_refused(office: httpx.Client) -> None:
    """With its place; the last for want of labels, with the way out."""
    study = studied(office, claims=[claim("one", "M-1")])
    for changes, status, path in REFUSED:
        asked = {"study": study["id"], **ASKED, **changes}
        answer = office.post("/rules/suggestions", json=asked)
        assert answer.status_code == status, answer.text
        if path is not None:
            assert answer.json()["errors"][0]["path"] == path
    assert "the golden set has 0 lines that count, 50 are needed: label" in answer.text
    assert office.get("/rules/suggestions").json()["total"] == 0
