"""Studies of kept claims and of a body, and reports on them, over HTTP and on real engines."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from service.accounting.planning.tallies import Held
from service.application.parts import Stores
from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.flow.matching.counting import Counting
from service.flow.matching.match import match_claim
from service.rules.book import RuleBook
from service.stores.studies.kept import is_over
from service.tuning.columns import KINDS, Columns
from service.tuning.judging import Judge, verdict_of
from service.tuning.study import read_line
from tests.builders import build_authorization, build_claim
from tests.flow.random_papers import Papers
from tests.ground import Ground, separate
from tests.serving import client_of, keys_of, serving
from tests.tuning.building import book_of, edited
from tests.tuning.test_judging import mixed_book

Json = dict[str, Any]
PAYERS = 40
MEMBERS = ("M-1", "M-2", "M-3")

WIDER = ("base.yaml", "{before: 7, after: 7, max: 30}", "{before: 25, after: 25, max: 30}")
BY_TIN = ("professional.yaml", "{id: tin, comparison", "{id: tin, full: true, comparison")
RAW = (
    "professional.yaml",
    "require:\n",
    "require:\n  - {id: managed, raw: {term: {attached.case_manager: 'on'}}}\n",
)
TODAY = str(datetime.now(UTC).date())


def claim(name: str, member: str, **changes: Any) -> Json:
    """A claim as it is sent."""
    made = build_claim(claim_id=name, member={"id": member}, **changes)
    content: Json = made.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return content


CLAIMS = (
    claim("agrees", "M-1"),
    claim("late", "M-1", line={"from": "2026-06-20"}),
    claim("tin", "M-2", rendering_provider={"npi": "1588888887", "tin": "741234567"}),
    claim("nobody", "M-3"),
)


@pytest.fixture(scope="module")
def studios(ground: Ground) -> Iterator[tuple[Ground, Iterator[httpx.Client]]]:
    """Callers of one service that keeps every match; each has its payer's name as its key."""
    names = [f"studio-{number}" for number in range(PAYERS)]
    with separate(ground) as own:
        changed = {
            "api_keys": keys_of({each: each for each in (*names, "other")}),
            "kept_matches_share": 1.0,
        }
        settings = own.settings.model_copy(update=changed)
        with serving(settings) as url:
            yield own, (client_of(url, each) for each in names)


@pytest.fixture
def studio(
    studios: tuple[Ground, Iterator[httpx.Client]],
) -> Iterator[tuple[Ground, httpx.Client]]:
    """The caller of a payer that has authorizations of two members."""
    own, clients = studios
    with next(clients) as client:
        for member in ("M-1", "M-2"):
            pushed(
                client, build_authorization(authorization_id=f"A-{member}", member={"id": member})
            )
        yield own, client


def pushed(client: httpx.Client, authorization: Authorization) -> None:
    """Push an authorization."""
    content = authorization.model_dump_json(by_alias=True, exclude_unset=True)
    path = f"/authorizations/{authorization.authorization_id}"
    assert client.put(path, content=content).status_code in (200, 201)


def until_done(client: httpx.Client, path: str) -> Json:
    """Wait until a study or report is made, or failed."""
    deadline = time.monotonic() + 60
    while (found := client.get(path).json())["status"] in ("waiting", "running"):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    answer: Json = found
    return answer


def studied(client: httpx.Client, **asked: Any) -> Json:
    """Have a study made."""
    begun = client.post("/studies", json={"name": "a study", **asked})
    assert begun.status_code == 202, begun.text
    return until_done(client, f"/studies/{begun.json()['id']}")


def reported(client: httpx.Client, study: Json, *edits: tuple[str, str, str], **more: Any) -> Json:
    """Have a report made of the shipped rules with these edits."""
    files = {file for file, _, _ in edits}
    texts = {name: text for name, text in edited(*edits).items() if name in files}
    begun = client.post("/reports", json={"study": study["id"], "texts": texts, **more})
    assert begun.status_code == 202, begun.text
    return until_done(client, f"/reports/{begun.json()['id']}")


def seen(client: httpx.Client, what: str) -> dict[str, int]:
    """How often the trail says of each member that somebody saw what is of that person."""
    rows = {each: client.get("/audit", params={"member": each}).json()["rows"] for each in MEMBERS}
    return {each: sum(row["what"] == what for row in found) for each, found in rows.items()}


def kept_in(client: httpx.Client, count: int, **only: Any) -> list[str]:
    """The claims of a study of those that are kept, once so many are."""
    deadline = time.monotonic() + 30
    while True:
        study = studied(client, kept={"from": TODAY, "to": TODAY, **only})
        if study.get("claims", 0) == count or time.monotonic() > deadline:
            break
        time.sleep(0.3)
    if study["status"] == "failed":
        return []
    lines = client.get(f"/studies/{study['id']}/claims").content.splitlines()
    return sorted(orjson.loads(line)["claim"]["claim_id"] for line in lines)


def test_claims_are_kept_and_found_by_what_they_are(studio: tuple[Ground, httpx.Client]) -> None:
    """Adjudicated ones by the ledger, matched ones by their share; as sent, and as decided."""
    _, client = studio
    for each in CLAIMS[:2]:
        assert client.post("/adjudicate", json=each).status_code == 200
    for each in CLAIMS[1:]:
        assert client.post("/match", json=each).status_code == 200

    assert kept_in(client, 4) == ["agrees", "late", "nobody", "tin"]
    assert kept_in(client, 1, **{"class": "exact"}) == ["agrees"]
    assert kept_in(client, 2, event="SPA-0009") == ["late", "nobody"]
    assert kept_in(client, 0, claim_type="dental") == []
    assert len(kept_in(client, 2, sample=2, seed=1)) == 2
    assert kept_in(client, 2, sample=2, seed=1) == kept_in(client, 2, sample=2, seed=1)
    study = studied(client, kept={"from": TODAY, "to": TODAY, "class": "exact"})
    (line,) = client.get(f"/studies/{study['id']}/claims").content.splitlines()
    (decided,) = orjson.loads(line)["decided"]
    assert decided["match_class"] == "exact"
    assert (decided["chosen"], decided["disposition"]) == (["A-M-1"], "pay")
    assert "stage" not in orjson.loads(line)["claim"]


def test_a_study_is_read_back_by_its_payer_alone(studio: tuple[Ground, httpx.Client]) -> None:
    """The same bytes each time, whose hash is that of the study; another payer has none."""
    _, client = studio
    study = studied(client, claims=CLAIMS)
    content = client.get(f"/studies/{study['id']}/claims").content

    assert study["claims"] == study["lines"] == 4
    assert hashlib.sha256(content).hexdigest() == study["hashes"]["study"]
    assert client.get(f"/studies/{study['id']}/claims").content == content
    changed = build_authorization(authorization_id="A-M-1", version=2, member={"id": "M-1"})
    pushed(client, changed)
    assert client.get(f"/studies/{study['id']}/claims").content == content
    other = {"X-API-Key": "other"}
    assert client.get(f"/studies/{study['id']}", headers=other).status_code == 404
    assert client.get("/studies", headers=other).json()["total"] == 0
    assert client.get("/studies").json()["studies"][0]["id"] == study["id"]
    assert seen(client, "GET /studies/{study_id}/claims") == dict.fromkeys(MEMBERS, 3)


def test_a_report_is_the_same_of_the_same_inputs(studio: tuple[Ground, httpx.Client]) -> None:
    """As JSON, byte for byte; its rows as CSV, its page without a script."""
    _, client = studio
    study = studied(client, claims=CLAIMS)
    labels = [{"claim_id": "tin", "line": 1, "authorization": "A-M-2"}]
    one, other = (reported(client, study, WIDER, BY_TIN, labels=labels) for _ in range(2))
    pages = [client.get(f"/reports/{each['id']}/content").content for each in (one, other)]

    assert pages[0] == pages[1]
    assert hashlib.sha256(pages[0]).hexdigest() == one["hash"] == other["hash"]
    assert (one["moved"], one["harmful"]) == (2, 1)
    report = orjson.loads(pages[0])
    assert [row["claim_id"] for row in report["rows"]] == ["tin", "late"]
    assert report["automatic"]["after"]["precision"]["right"] == 1
    csv = client.get(f"/reports/{one['id']}/content?format=csv").text.splitlines()
    assert len(csv) == 3
    assert csv[1].startswith("newly_automatic,tin,1,1,authorization,professional,non-exact,exact,")
    page = client.get(f"/reports/{one['id']}/content?format=html")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert page.text.count("<svg") == 2
    assert seen(client, "GET /reports/{report_id}/content") == {"M-1": 4, "M-2": 4, "M-3": 0}


def live(book: RuleBook, claims: Sequence[Claim], payer: str, stores: Stores) -> Any:
    """Every claim as the engine matches it now by a book."""

    async def all_of() -> dict[int, tuple[object, ...]]:
        found, first = {}, 0
        for each in claims:
            counted = Counting.of(each, book).with_held(Held())
            matched = await match_claim(
                each, payer, rules=book, source=stores.search, counted=counted
            )
            at = {line.line: first + number for number, line in enumerate(each.lines)}
            for search in matched.searches:
                place = at[search.line.line] * len(KINDS) + KINDS.index(search.kind)
                found[place] = verdict_of(search).outcome
            first += len(each.lines)
        return found

    return all_of()


@pytest.mark.parametrize(
    "rounds", [pytest.param(3, id="few"), pytest.param(60, id="many", marks=pytest.mark.long)]
)
def test_a_study_agrees_with_a_replay(studio: tuple[Ground, httpx.Client], rounds: int) -> None:
    """Random claims under random edits: judged in memory, and matched on Elasticsearch."""
    ground, client = studio
    papers, rng = Papers(rounds), Random(rounds)
    claims = [papers.claim(f"C-{number}", f"M-{number}") for number in range(15)]
    for number in range(15):
        for at in range(rng.randint(0, 3)):
            made = papers.authorization(f"A-{number}-{at}", f"M-{number}")
            body = made.model_dump_json(by_alias=True, exclude_unset=True)
            answer = client.put(f"/authorizations/{made.authorization_id}", content=body)
            assert answer.status_code in (201, 409), answer.text  # the number of another
    sent = [each.model_dump(mode="json", by_alias=True, exclude_unset=True) for each in claims]
    study = studied(client, claims=sent)
    content = client.get(f"/studies/{study['id']}/claims").content.splitlines()
    columns = Columns.of(read_line(line) for line in content)
    compared = []

    @settings(max_examples=rounds, phases=[Phase.generate])
    @given(seed=st.integers(0, 10_000_000), edits=st.integers(1, 5))
    def agrees(seed: int, edits: int) -> None:
        book = mixed_book(seed, edits) or book_of()
        judging = Judge(columns, book).judge()
        replayed = ground.run(partial(live, book, claims, client.headers["x-api-key"]))
        found = {place: verdict.outcome for place, verdict in judging.verdicts.items()}
        memory = {place: each for place, each in replayed.items() if place // 3 not in judging.left}
        assert found == memory
        compared.append(len(memory))

    agrees()
    assert max(compared) > 15


def test_raw_clauses_are_replayed_and_said(studio: tuple[Ground, httpx.Client]) -> None:
    """By both sets, on the engine; no cause is tried."""
    _, client = studio
    study = studied(client, claims=CLAIMS)
    report = reported(client, study, RAW)
    content = client.get(f"/reports/{report['id']}/content").json()

    assert content["lines"] == {"all": 4, "judged": 4, "left": 0, "replayed": 4}
    assert "replayed on Elasticsearch" in content["notes"][0]
    moved = {row["claim_id"]: (row["harm"], row["cause"]) for row in content["rows"]}
    assert moved == {"agrees": ("exact_lost", None), "tin": ("other_class", None)}


@pytest.mark.parametrize(
    ("asked", "status", "path"),
    [
        ({"name": "both", "claims": [CLAIMS[0]], "kept": {"from": TODAY, "to": TODAY}}, 422, ""),
        ({"name": "none"}, 422, ""),
        ({"name": "no claims", "claims": []}, 422, "/claims"),
        ({"name": "wide", "claims": [CLAIMS[0]], "days": 400}, 422, "/days"),
        ({"name": "back", "kept": {"from": "2026-03-02", "to": "2026-03-01"}}, 422, "/kept/to"),
        (
            {"name": "many", "kept": {"from": TODAY, "to": TODAY, "sample": 10**9}},
            422,
            "/kept/sample",
        ),
        ({"name": "key", "claims": [CLAIMS[0]], "sample": 3}, 422, "/sample"),
    ],
)
def test_a_study_that_cannot_be_meant_is_refused(
    caller: httpx.Client, asked: Json, status: int, path: str
) -> None:
    """With its place."""
    answer = caller.post("/studies", json=asked)

    assert answer.status_code == status
    assert answer.json()["errors"][0]["path"] == path


def test_what_cannot_be_made_says_why(studio: tuple[Ground, httpx.Client]) -> None:
    """No such claims, no such study, rules that cannot be read, a file that there is not."""
    _, client = studio
    empty = studied(client, kept={"from": "2026-01-01", "to": "2026-01-02"})
    assert (empty["status"], empty["reason"]) == ("failed", "there are no such claims")
    nothing = client.post("/reports", json={"study": "0" * 16, "texts": {}})
    assert nothing.status_code == 404
    unmade = client.post("/reports", json={"study": empty["id"], "texts": {}})
    assert unmade.status_code == 422
    study = studied(client, claims=CLAIMS[:1])
    wrong = edited(("professional.yaml", "weight: 24", "weight: heavy"))["professional.yaml"]
    draft = {"study": study["id"], "texts": {"professional.yaml": wrong}}
    refused = client.post("/reports", json=draft)
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:authmatch:problem:rules-refused"
    first = refused.json()["errors"][0]
    assert (first["file"], first["code"]) == ("professional.yaml", "T006")
    assert first["path"].startswith("/criteria/")
    gone = {"study": study["id"], "texts": {"reference/procedure-groups.yaml": None}}
    refused = client.post("/reports", json=gone)
    assert refused.status_code == 422
    assert "reference/procedure-groups.yaml" in [e["file"] for e in refused.json()["errors"]]
    for name in ("../base.yaml", "base.txt", "/etc/passwd.yaml"):
        bad = client.post("/reports", json={"study": study["id"], "texts": {name: ""}})
        assert bad.status_code == 422


def test_a_report_beyond_its_budget_is_ended(own: Ground) -> None:
    """The process is killed, and the report says so."""
    changed = {"api_keys": keys_of({"k": "demo"}), "study_seconds_max": 0.05}
    settings = own.settings.model_copy(update=changed)
    with serving(settings) as url, client_of(url, "k") as client:
        report = reported(client, studied(client, claims=CLAIMS[:1]), WIDER)

    assert report["status"] == "failed"
    assert report["reason"] == "it took longer than 0.05 s"


def test_months_that_are_over_are_dropped(own: Ground) -> None:
    """Of kept claims and of studies, never of the ledger."""

    async def scenario(stores: Stores) -> tuple[list[str], list[str]]:
        names = [
            stores.indices.kept_claims("2020.01"),
            stores.indices.studies("2020.02"),
            stores.indices.ledger("2020.01"),
            stores.indices.kept_claims(f"{datetime.now(UTC):%Y.%m}"),
        ]
        for name in names:
            await stores.elasticsearch.indices.create(index=name)
        dropped = await stores.kept.drop()
        there = await stores.elasticsearch.indices.get(index=",".join(names[2:]))
        return dropped, sorted(there)

    dropped, there = own.run(scenario)
    prefix = own.settings.index_prefix
    assert dropped == [f"{prefix}kept-claims-2020.01", f"{prefix}studies-2020.02"]
    assert len(there) == 2


@pytest.mark.parametrize(
    ("oldest", "expected"),
    [("2026-03-31", False), ("2026-04-01", True), ("2026-05-01", True), ("2026-02-01", False)],
)
def test_a_month_is_over_with_its_last_day(oldest: str, expected: bool) -> None:
    """A claim of the last day is kept as long as all others."""
    assert is_over("x-kept-claims-2026.03", date.fromisoformat(oldest)) is expected
    assert is_over("studies-2025.12", date(2026, 1, 1))


def test_content_at_rest_is_sealed(own: Ground, tmp_path: Path) -> None:
    """Of a study and of a kept match, where keys are set; it is read back all the same."""
    keys = tmp_path / "keys"
    keys.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    changed = {
        "api_keys": keys_of({"k": "demo"}),
        "kept_matches_share": 1.0,
        "seal_keys_file": keys,
    }
    settings = own.settings.model_copy(update=changed)
    with serving(settings) as url, client_of(url, "k") as client:
        client.post("/match", json=CLAIMS[0])
        study = studied(client, claims=CLAIMS[:1])
        assert kept_in(client, 1) == ["agrees"]
        assert client.get(f"/studies/{study['id']}/claims").status_code == 200

    async def contents(stores: Stores) -> list[str]:
        index = f"{stores.indices.all_studies},{stores.indices.all_kept_claims}"
        await stores.elasticsearch.indices.refresh(index=index)
        found = await stores.elasticsearch.search(index=index, size=50)
        sources = (hit["_source"] for hit in found["hits"]["hits"])
        return [source["content"] for source in sources if "content" in source]

    found = own.run(contents)
    assert len(found) >= 2
    assert all(each.startswith("sealed:") for each in found)
