"""What the service says of itself: documentation, OpenAPI, health, metrics, unknown addresses."""

import re

import httpx
import pytest

from tests.api.bodies import claim_body

BY_HAND = (
    "/authorizations/{authorization_id}/documents",
    "/documents/{document_id}",
    "/manual-entries",
    "/manual-entries/{authorization_id}/confirm",
    "/manual-entries/{authorization_id}/refuse",
)
OF_REQUESTS = (
    "/authorizations/{authorization_id}/request",
    "/requests",
    "/requests/{request_id}",
    "/requests/{request_id}/copy",
    "/requests/{request_id}/inquire",
    "/requests/{request_id}/send",
)
LATELY = ("/claims/{claim_id}/compare", "/intake", "/worklist/filters", "/worklist/filters/drop")
OF_ALERTS = [
    f"/alerts{each}" for each in ("", "/choice", "/choice/calendar", "/{alert_id}/dismiss")
]
METHODS = {"get", "put", "post", "delete"}


@pytest.mark.filterwarnings("ignore:open_binary is deprecated:DeprecationWarning")
def test_the_documentation_needs_no_other_host(caller: httpx.Client) -> None:
    """The page and all that it loads are served from here."""
    page = caller.get("/docs")
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.text)

    assert page.status_code == 200
    own = f"{str(caller.base_url).rstrip('/')}/"
    loaded = [each.removeprefix(own) for each in loaded]
    assert not [each for each in loaded if each.startswith(("http", "//"))]
    assert [each for each in loaded if each.endswith((".js", ".css"))]
    for each in loaded:
        if not each.startswith("data:"):
            assert caller.get(each).status_code == 200, each


def test_the_openapi_document_describes_every_call(caller: httpx.Client) -> None:
    """Each has a summary, every body a model, and every reference leads somewhere."""
    document = caller.get("/openapi.json").json()
    models = document["components"]["schemas"]
    text = caller.get("/openapi.json").text
    calls = [call for path in document["paths"].values() for call in path.values()]

    assert document["openapi"].startswith("3.")
    assert {"Claim", "Authorization", "WhyNotQuestion"} <= set(models)
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= set(models)
    assert all(call.get("summary") for call in calls)
    assert set(document["paths"]) == {
        "/match", "/match/batch", "/match/why-not", "/claims/populate",
        "/authorizations", "/authorizations/bulk", "/health/live", "/health/ready",
        "/authorizations/{authorization_id}", "/authorizations/{authorization_id}/versions",
        "/adjudicate", "/adjudicate/batch", "/claims/{claim_id}", "/claims/{claim_id}/history",
        "/claims/{claim_id}/finalize", "/claims/{claim_id}/release", "/claims/{claim_id}/reverse",
        "/claims/{claim_id}/adjust", "/claims/{claim_id}/benefit-limits",
        "/authorizations/{authorization_id}/accumulators",
        "/authorizations/{authorization_id}/accumulators/corrections",
        "/authorizations/{authorization_id}/ledger",
        "/authorizations/{authorization_id}/claims",
        "/authorizations/{authorization_id}/utilization",
        "/fhir", "/fhir/ClaimResponse", "/fhir/ClaimResponse/_search",
        "/fhir/ClaimResponse/{resource_id}", "/fhir/metadata",
        *BY_HAND, *OF_ALERTS, *OF_REQUESTS, *LATELY,
        "/x12", "/worklist", "/worklist/counts", "/worklist/next", "/worklist/assign",
        "/worklist/{item_id}",
        *(f"/worklist/{{item_id}}/{each}" for each in (
            "take", "release", "skip", "hold", "watch", "resolve", "undo",
        )),
        "/members/{member_id}", "/members/{member_id}/merge", "/prior-authorization-metrics",
        "/dead-letters", "/dead-letters/{letter_id}", "/dead-letters/{letter_id}/retry",
        "/intake/{ticket}", "/keys", "/keys/{key_id}", "/keys/{key_id}/rotate",
        "/rules", "/rules/sets", "/rules/sets/{number}", "/rules/diff", "/rules/history",
            "/rules/statistics", "/rules/stage/widen", "/rules/stage/return",
            "/rules/drafts/{draft_id}/shadow", "/rules/drafts/{draft_id}/shadow/stop",
        "/rules/rollback", "/rules/drafts", "/rules/drafts/{draft_id}",
        *(f"/rules/drafts/{{draft_id}}/{each}" for each in (
            "check", "try", "evaluate", "submit", "approve", "reject", "publish", "drop",
        )),
        "/rules/suggestions", "/rules/suggestions/{suggestion_id}",
        "/studies", "/studies/{study_id}", "/studies/{study_id}/claims",
        "/reports", "/reports/{report_id}", "/reports/{report_id}/content",
        "/golden/labels", "/golden/lines", "/golden/next", "/golden/decisions", "/audit",
        *(f"/charges/{each}" for each in ("check", "attach", "{charge_id}/detach")), "/",
    }  # fmt: skip
    bodies = [call["requestBody"]["content"] for call in calls if "requestBody" in call]
    assert len(bodies) == 64
    assert "number" in models["Claim"]["properties"]["lines"]["items"] or models["ServiceLine"]


def test_health_and_metrics_need_no_key(caller: httpx.Client) -> None:
    """They say nothing of any payer."""
    caller.post("/match", json=claim_body())
    del caller.headers["x-api-key"]
    live, ready = caller.get("/health/live"), caller.get("/health/ready")
    metrics = caller.get("/metrics")

    assert (live.status_code, live.json()["status"]) == (200, "live")
    assert (ready.status_code, ready.json()) == (
        200,
        {
            "status": "ready",
            "adjudication": "ready",
            "outbox": "empty",
            "closed": [],
            "rules": None,
        },
    )
    assert metrics.status_code == 200
    assert 'authmatch_request_seconds_count{route="/match",status="200"}' in metrics.text
    assert "authmatch_results_total{" in metrics.text
    assert "M0001" not in metrics.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/authorizations/A1", 405),
        ("GET", "/match", 405),
        ("PATCH", "/authorizations", 405),
        ("DELETE", "/health/live", 405),
    ],
)
def test_an_unknown_address_or_method_is_a_problem_too(
    caller: httpx.Client, method: str, path: str, status: int
) -> None:
    """404 and 405 have the form of every problem."""
    answer = caller.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    if status == 405:
        assert answer.headers["allow"]
