"""What claim lines came to by the rules: of a period, and what the service counted itself."""

from datetime import date, timedelta
from typing import Any

import pytest

from service.application import claims, statistics
from service.application.refusals import BadPart
from service.domain.adjudication import Adjudication
from service.domain.claim import Claim
from service.stores.connection.clock import today
from tests.api.bodies import claim_body
from tests.application.office import Office, in_office
from tests.ground import Ground, push, version_of
from tests.ground import ground as ground
from tests.ground import payer as payer


async def adjudicated(people: Office, name: str, **changes: Any) -> None:
    """A claim of one line is adjudicated."""
    claim = Adjudication.model_validate({**claim_body(claim_id=name), **changes})
    await claims.adjudicate(people.of("ann"), claim)


def counted(rows: list[dict[str, Any]]) -> list[tuple[int, dict[str, int]]]:
    """The lines of each row, and what they came to at all."""
    return [
        (row["lines"], {rate: count for rate, count in row["counts"].items() if count})
        for row in rows
    ]


def test_a_period_and_the_service_say_the_same(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims without a match, exact ones, and one that an examiner put right."""
    # Each test has a payer of its own: those before it in this process may have taken all series.
    monkeypatch.setattr(statistics, "SERIES_MAX", 10**9)

    async def work(people: Office) -> None:
        await adjudicated(people, "C-1")
        other = [{"procedure": {"from": "99213", "to": "99213", "code_system": "CPT"}}]
        await push(
            people.parts.stores,
            people.payer,
            version_of(authorization_id="A-1", number="AU-1"),
            version_of(authorization_id="A-2", lines=other),
        )
        await adjudicated(people, "C-2")
        selected = {"line": 1, "authorizations": [{"authorization_id": "A-2"}]}
        await adjudicated(people, "C-1", version=2, selections=[selected])
        matched = Claim.model_validate(claim_body(claim_id="C-3"))
        await claims.match(people.of("ann"), matched)
        await people.parts.stores.kept.flush()

        found = await statistics.statistics(people.of("ann"))

        (row,) = found["adjudicated"]
        assert (row["set"], row["template"], row["template_version"]) == (1, "professional", 1)
        assert counted(found["adjudicated"]) == [(3, {"exact": 2, "none": 1, "overturned": 1})]
        assert row["percent"]["exact"] == 66.67
        assert counted(found["matched"]["rows"]) == [(1, {"exact": 1})]
        assert counted(found["live"]) == [(4, {"exact": 3, "none": 1, "overturned": 1})]

    in_office(with_all_kept(ground), payer, work)


def with_all_kept(ground: Ground) -> Ground:
    """Every match is kept."""
    settings = ground.settings.model_copy(update={"kept_matches_share": 1.0})
    return Ground(settings=settings, rules=ground.rules)


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({}, 1),
        ({"first": today(), "last": today()}, 1),
        ({"last": today() - timedelta(days=1)}, 0),
        ({"first": today() + timedelta(days=1), "last": date.max}, 0),
        ({"last": date.min}, 0),
        ({"rule_set": 1, "template": "professional"}, 1),
        ({"rule_set": 2}, 0),
        ({"template": "dental"}, 0),
        ({"template": "professional@1"}, 0),
    ],
)
def test_only_what_is_asked_for_is_counted(
    ground: Ground, payer: str, asked: dict[str, Any], lines: int
) -> None:
    """By days of answers, a set, a template; what there is nothing of is an empty list."""

    async def work(people: Office) -> None:
        await adjudicated(people, "C-1")
        found = await statistics.statistics(people.of("ann"), **asked)
        assert sum(row["lines"] for row in found["adjudicated"]) == lines
        assert found["matched"]["rows"] == []

    in_office(ground, payer, work)


def test_a_period_that_ends_before_it_starts_is_refused(ground: Ground, payer: str) -> None:
    """Nothing could ever be in it."""

    async def work(people: Office) -> None:
        with pytest.raises(BadPart, match="ends before it starts"):
            await statistics.statistics(
                people.of("ann"), first=today(), last=today() - timedelta(days=1)
            )

    in_office(ground, payer, work)


def test_metrics_tell_no_more_apart_than_they_have_room_for(
    monkeypatch: pytest.MonkeyPatch, payer: str
) -> None:
    """What comes after is counted together: payers, sets and templates are not bounded."""
    monkeypatch.setattr(statistics, "_series", set())
    monkeypatch.setattr(statistics, "SERIES_MAX", 2)
    result: Any = {
        "type": "authorization",
        "required": True,
        "template": "t",
        "template_version": 1,
        "class": "exact",
        "truncated": False,
        "relaxed": [],
        "near_misses": [],
        "chosen": ["A"],
    }
    lines: Any = [{"line": 1, "results": [result]}]

    def lines_of(*labels: str) -> float:
        return float(statistics.LINES.labels(*labels)._value.get())

    before = lines_of("other", "other", "other")
    for number in (1, 2, 3, 4, 1):
        statistics.count_results(payer, f"{number}:0", lines)

    assert [lines_of(payer, str(number), "t@1") for number in (1, 2, 3)] == [2, 1, 0]
    assert lines_of("other", "other", "other") - before == 2
