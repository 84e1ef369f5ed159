"""Samples are the same for the same seed, whole or in slices, and read as real papers do."""

from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path

import orjson
import pytest

from authmatch_local.samples import SampleData
from authmatch_local.samples.member import STORIES
from service.domain.authorization import Authorization
from service.domain.claim import Claim

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SAMPLES = SampleData(7, 4_000, heavy_every=100)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Another seed does not."""
    again = SampleData(7, 4_000, heavy_every=100)
    other = SampleData(8, 4_000, heavy_every=100)
    written = orjson.dumps(list(SAMPLES.authorizations()))

    assert orjson.dumps(list(again.authorizations())) == written
    assert orjson.dumps(list(other.authorizations())) != written
    assert list(again.claims()) == list(SAMPLES.claims())


def test_slices_are_the_whole() -> None:
    """Whatever the order in which they are made."""
    slices = [list(SAMPLES.slice(block, block + 1)) for block in reversed(range(SAMPLES.blocks))]
    whole = list(SAMPLES.authorizations())

    assert [paper for one in reversed(slices) for paper in one] == whole
    assert [claim for claim, _ in SAMPLES.slice_claims(1, 3)] == [
        claim for block in (1, 2) for claim, _ in SAMPLES.slice_claims(block, block + 1)
    ]


@pytest.mark.parametrize("size", [1, 2, 9, 10, 11, 25, 999, 1_000, 1_001, 1_005, 2_345])
def test_a_size_is_kept_exactly(size: int) -> None:
    """Down to one authorization, and across the border of a block."""
    ids = [paper["authorization_id"] for paper in SampleData(1, size).authorizations()]

    assert len(ids) == len(set(ids)) == size


def test_a_small_sample_has_claims() -> None:
    """Ten authorizations are enough for a first try."""
    assert list(SampleData(1, 10).claims())


@pytest.mark.parametrize("size", [0, -1, 100_000_001])
def test_other_sizes_are_refused(size: int) -> None:
    """From one to a hundred million."""
    with pytest.raises(ValueError, match="authorizations"):
        SampleData(1, size)


def test_a_hundred_million_begin_at_once() -> None:
    """Nothing is made before it is asked for, and any slice can be asked for."""
    huge = SampleData(1, 100_000_000)

    assert len(list(islice(huge.authorizations(), 5))) == 5
    assert list(islice(huge.claims(), 1))
    assert next(huge.slice(99_999, 100_000))["authorization_id"] == "A099999000"
    assert len(list(huge.bench_claims(count=3))) == 3


def test_all_papers_are_read() -> None:
    """Every authorization and claim is what the models take; ids and members hang together."""
    members: Counter[str] = Counter()
    for paper in SAMPLES.authorizations():
        read = Authorization.model_validate(paper)
        members[read.member.id] += 1

    for claim, _ in SAMPLES.claims():
        assert Claim.model_validate(claim).member.id in members


def test_all_kinds_of_papers_appear() -> None:
    """Settings, kinds, decisions, wildcards, groups, open ends, limits."""
    papers = list(SAMPLES.authorizations())
    lines = [line for paper in papers for line in paper["lines"]]

    assert {paper["setting"] for paper in papers} == {
        "inpatient",
        "outpatient",
        "professional",
        "dental",
    }
    assert {paper["kind"] for paper in papers} == {"authorization", "referral", "notification"}
    assert {paper["decision"]["action"] for paper in papers} == {
        *("A1", "A2", "A3", "A4", "A6", "CT", "NA", "C"),
        None,
    }
    assert any(paper.get("effective", {}).get("to", "") is None for paper in papers)
    assert any("group" in line.get("procedure", {}) for line in lines)
    assert any("to" in line.get("procedure", {}) for line in lines)
    assert any("procedure" not in line for line in lines)
    assert any("tooth" in line for line in lines)
    assert any("per" in line.get("limits", {}) for line in lines)
    for field in ("attached", "notes", "status_history", "other_numbers", "supersedes"):
        assert any(field in paper for paper in papers), field


def test_all_stories_appear() -> None:
    """In a sample of a few thousand authorizations."""
    stories = Counter(each.story for _, expected in SAMPLES.claims() for each in expected)

    assert set(stories) == {story.name for story in STORIES}


def test_heavy_members_have_hundreds_of_authorizations() -> None:
    """Some of them more than 200 of one setting; the others stay ordinary."""
    heavy = SampleData(7, 10_000, heavy_every=66)
    settings = Counter(
        (paper["member"]["id"], paper["setting"]) for paper in heavy.authorizations()
    )
    members = Counter(paper["member"]["id"] for paper in heavy.authorizations())

    assert max(settings.values()) > 200
    for member, count in members.items():
        assert (150 <= count <= 400) if member.startswith("H") else (10 <= count < 30)
    assert any(each.heavy for _, expected in heavy.claims() for each in expected)


def test_an_ordinary_share_of_members_is_heavy() -> None:
    """About one in two thousand."""
    samples = SampleData(1, 100_000)
    members = {paper["member"]["id"] for paper in samples.authorizations()}
    heavy = sum(member.startswith("H") for member in members)

    assert 1_000 <= len(members) / heavy <= 3_000


def test_bench_claims_have_as_many_lines_as_asked_for() -> None:
    """Of ordinary members, the same each time."""
    samples = SampleData(1, 50_000)
    claims = list(samples.bench_claims(lines=10, count=60))

    assert claims == list(samples.bench_claims(lines=10, count=60))
    assert len({claim["claim_id"] for claim in claims}) == len(claims) == 60
    for claim in claims:
        assert len(Claim.model_validate(claim).lines) == 10
        assert claim["member"]["id"].startswith("M")


def test_the_first_day_moves_the_services() -> None:
    """They fall into the year from it."""
    moved = SampleData(7, 200, date(2027, 6, 1))
    days = [
        line["from"] for claim, _ in moved.claims() for line in claim["lines"] if "from" in line
    ]

    assert min(days) >= "2027-06-01"


def test_an_expectation_is_written_as_json() -> None:
    """With the name of the class as answers have it."""
    _, expected = next(SAMPLES.claims())
    written = orjson.loads(orjson.dumps(expected[0].as_json()))

    assert written["class"] == expected[0].class_
    assert "class_" not in written


def test_the_examples_are_read() -> None:
    """Those that the documentation shows."""
    papers = (EXAMPLES / "authorizations.ndjson").read_text().splitlines()
    members = {Authorization.model_validate_json(paper).member.id for paper in papers}
    claims = sorted(EXAMPLES.glob("claim-*.json"))

    assert len(claims) == 5
    for path in claims:
        assert Claim.model_validate_json(path.read_text()).member.id in members
