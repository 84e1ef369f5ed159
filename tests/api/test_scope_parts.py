"""Parts of a request, and of an answer, that need more than their route does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.access.scopes import read_roles
from service.settings import StartKey
from tests.api.bodies import authorization_body, claim_body
from tests.api.test_x12 import inquiry
from tests.ground import Ground
from tests.serving import client_of, serving

ROLES = """
all: [billing.charge.read, clinical.authorization.read, clinical.authorization.write,
      clinical.authorization.request, claims.match, claims.adjudicate, override, intake.operate]
biller: [billing.charge.read, claims.match, claims.adjudicate]
clinician: [clinical.authorization.read, claims.match, claims.adjudicate]
not-acting: [claims.adjudicate, claims.reverse, worklist.work, members.merge, intake.operate]
acting: [billing.charge.read, clinical.authorization.read, claims.adjudicate, claims.reverse,
         act-for]
portal: [clinical.authorization.request]
operator: [intake.operate]
"""


@pytest.fixture
def address(ground: Ground, payer: str, tmp_path: Path) -> Iterator[str]:
    """A service with a key for each role of one payer, that has an authorization."""
    file = tmp_path / "roles.yaml"
    file.write_text(ROLES)
    keys = {
        SecretStr(role): StartKey(payers=(payer,), role=role, name="desk")
        for role in read_roles(file)
    }
    settings = ground.settings.model_copy(update={"api_keys": keys, "roles_file": file})
    with serving(settings) as url, client_of(url, "all") as client:
        client.put("/authorizations/A1", json=authorization_body()).raise_for_status()
        yield url


def post(address: str, role: str, path: str, **more: Any) -> httpx.Response:
    """Post as a role."""
    with client_of(address, role) as client:
        return client.post(path, **more)


@pytest.mark.parametrize(
    ("role", "withheld", "candidates", "requirement"),
    [
        ("all", None, 1, True),
        ("biller", ["clinical.authorization.read"], 0, True),
        ("clinician", ["billing.charge.read"], 1, False),
    ],
)
@pytest.mark.parametrize("path", ["/match", "/match/batch", "/adjudicate", "/adjudicate/batch"])
def test_an_answer_has_what_its_reader_may_see(
    address: str, path: str, role: str, withheld: Any, candidates: int, requirement: bool
) -> None:
    """The auth-required issue needs one scope, existing authorizations another (seed 000)."""
    answer = post(address, role, path, json=claim_body()).json()

    (line,) = answer["lines"]
    (result,) = line["results"]
    assert answer.get("withheld") == withheld
    assert len(result["candidates"]) == candidates
    assert bool(line["requirement"]) == requirement
    assert result["class"] == "exact"
    assert ("A1" in str(answer)) == bool(candidates)


@pytest.mark.parametrize(
    ("part", "scope"),
    [
        (
            {"selections": [{"line": 1, "authorizations": [{"authorization_id": "A1"}]}]},
            "clinical.authorization.write",
        ),
        ({"override": {"reason": "court order"}}, "override"),
    ],
)
@pytest.mark.parametrize("query", ["", "?dry_run=true", "?readjudicate=true"])
def test_parts_of_a_claim_that_need_a_scope(
    address: str, part: dict[str, Any], scope: str, query: str
) -> None:
    """Said with the path; the claim is not adjudicated without the part."""
    (path,) = part
    body = claim_body() | part

    refused = post(address, "biller", f"/adjudicate{query}", json=body)
    line = post(address, "biller", f"/adjudicate/batch{query}", json=body).json()

    assert (refused.status_code, line["problem"]["status"]) == (403, 403)
    assert [each["path"] for each in refused.json()["errors"]] == [f"/{path}"]
    assert scope in refused.json()["detail"]
    assert post(address, "all", f"/adjudicate{query}", json=body).status_code == 200


def test_a_portal_asks_by_x12_and_stores_nothing(address: str, payer: str) -> None:
    """Inquiries are answered; a response is refused, alone or among them, and no letter is kept."""
    example = Path(__file__).parents[2] / "docs" / "examples" / "authorization.278.x12"
    headers = {"content-type": "application/edi-x12"}

    asked = post(address, "portal", "/x12", content=inquiry(), headers=headers)
    pushed = post(address, "portal", "/x12", content=example.read_bytes(), headers=headers)
    streamed = post(
        address,
        "portal",
        "/x12",
        content=b"x",
        headers=headers | {"accept": "application/x-ndjson"},
    )

    assert (asked.status_code, pushed.status_code, streamed.status_code) == (200, 403, 403)
    with client_of(address, "all") as client:
        assert client.get("/authorizations").json()["total"] == 1
        assert client.get("/dead-letters").json()["total"] == 0


def test_corrected_content_is_a_push(address: str) -> None:
    """Who sees to letters may try one as it came, not put another authorization in its place."""
    with client_of(address, "all") as client:
        assert client.put("/authorizations/A2", content=b"{}").status_code == 422
        (letter,) = client.get("/dead-letters").json()["dead_letters"]
    path = f"/dead-letters/{letter['id']}/retry"

    corrected = post(address, "operator", path, json=authorization_body())
    as_it_came = post(address, "operator", path)

    assert (corrected.status_code, as_it_came.status_code) == (403, 200)


BY: list[tuple[str, str, str, dict[str, Any]]] = [
    ("POST", "/adjudicate", "/by", {"json": claim_body() | {"by": "jo"}}),
    ("POST", "/adjudicate?dry_run=true", "/by", {"json": claim_body() | {"by": "jo"}}),
    ("POST", "/adjudicate/batch", "/by", {"json": claim_body() | {"by": "jo"}}),
    *(
        ("POST", f"/claims/C-1/{step}", "/by", {"json": {"by": "jo"}})
        for step in ("finalize", "release", "reverse", "adjust")
    ),
    *(
        (
            "POST",
            f"/worklist/{'0' * 24}/{step}",
            "/by",
            {"json": {"by": "jo"} | body, "headers": {"if-match": "*"}},
        )
        for step, body in (
            ("resolve", {"action": "no-action"}),
            ("skip", {"reason": "x"}),
            *((each, {}) for each in ("undo", "take", "release", "hold", "watch")),
        )
    ),
    *(
        ("POST", f"/worklist{step}", "/by", {"json": {"by": "jo"} | body})
        for step, body in (
            ("/next", {}),
            ("", {"kind": "review", "claim_id": "C-1", "reason": "x"}),
        )
    ),
    ("POST", "/members/M1/merge", "/by", {"json": {"into": "M2", "by": "jo"}}),
    ("POST", "/dead-letters/x/retry", "/query/by", {"params": {"by": "jo"}}),
    ("DELETE", "/dead-letters/x", "/query/by", {"params": {"by": "jo", "why": "a test"}}),
]


@pytest.mark.parametrize(("method", "path", "place", "sent"), BY, ids=[each[1] for each in BY])
def test_nobody_is_named_by_who_may_not_act_for_others(
    address: str, method: str, path: str, place: str, sent: dict[str, Any]
) -> None:
    """Wherever `by` may stand; before anything is looked for, so that nothing is learnt."""
    with client_of(address, "not-acting") as client:
        answer = client.request(method, path, **sent)
        told = answer.json()
    problem = told["problem"] if path.endswith("batch") else told

    assert problem["status"] == 422
    assert [each["path"] for each in problem["errors"]] == [place]


def test_both_are_kept_of_who_acts_for_another(address: str) -> None:
    """The caller as authenticated, and whom he named; without a name the caller alone."""
    with client_of(address, "acting") as client:
        claim = claim_body() | {"by": "jo"}
        assert client.post("/adjudicate", json=claim).status_code == 200
        assert client.post("/claims/C-1/reverse", json={"reason": "twice"}).status_code == 200
        newest, oldest = client.get("/claims/C-1/history").json()["entries"]

    assert (oldest["by"], oldest["on_behalf_of"]) == ("key:desk", "jo")
    assert (newest["by"], newest["on_behalf_of"], newest["why"]) == ("key:desk", None, "twice")
