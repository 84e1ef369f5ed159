"""A newborn is billed before it has authorizations of its own: the mother's are looked at too."""

from typing import Any

import pytest

from service.flow.matching.match import mother_of
from tests.builders import build_claim
from tests.ground import Ground
from tests.late.office import Office, dispositions, run

MOTHER, CHILD = {"id": "M0001"}, {"id": "M0002", "mother_member_id": "M0001"}


@pytest.mark.parametrize(
    ("member", "mother"),
    [
        ({"id": "N1", "mother_member_id": "M1"}, "M1"),
        ({"id": "N1", "mother_member_id": "M1", "birth_date": "2026-03-12"}, "M1"),
        ({"id": "N1", "mother_member_id": "M1", "birth_date": "2026-02-10"}, "M1"),
        ({"id": "N1", "mother_member_id": "M1", "birth_date": "2026-02-09"}, None),
        ({"id": "N1", "mother_member_id": "M1", "birth_date": "2026-03-13"}, None),
        ({"id": "M1", "mother_member_id": "M1"}, None),
        ({"id": "N1"}, None),
    ],
)
def test_whose_mother_is_asked(member: dict[str, Any], mother: str | None) -> None:
    """Of a service on March 12: up to thirty days of age, and where that is not known."""
    assert mother_of(build_claim(member=member)) == mother


def test_what_is_found_is_never_exact_and_never_taken(ground: Ground, payer: str) -> None:
    """An examiner sees why, and may select it; the mother's own claim is paid as ever."""

    async def scenario(desk: Office) -> None:
        await desk.push(member=MOTHER, line={"limits": {"units": "10", "unit": "UN"}})
        answer = await desk.adjudicate(member=CHILD)
        (result,) = answer["lines"][0]["results"]
        (found,) = result["candidates"]
        assert (result["class"], found["authorization_id"]) == ("non-exact", "A1")
        assert found["exact_blockers"] == ["person"]
        assert (dispositions(answer), result["chosen"]) == (["suspend"], [])

        taken = [{"line": 1, "authorizations": [{"authorization_id": "A1"}]}]
        selected = await desk.adjudicate(member=CHILD, version=2, selections=taken)
        assert dispositions(selected) == ["pay"]
        own = await desk.adjudicate(claim_id="C-2", member=MOTHER)
        assert dispositions(own) == ["pay"]

    run(ground, payer, scenario)


def test_its_own_authorization_goes_before_the_mothers(ground: Ground, payer: str) -> None:
    """It is exact; without the field the mother's is not even looked at."""

    async def scenario(desk: Office) -> None:
        await desk.push(member=MOTHER)
        answer = await desk.adjudicate(member={"id": "M0002"})
        assert answer["lines"][0]["results"][0]["class"] == "none"
        await desk.push(authorization_id="A2", number="AU-1", member={"id": "M0002"})
        answer = await desk.adjudicate(claim_id="C-2", member=CHILD)
        assert answer["lines"][0]["results"][0]["chosen"] == ["A2"]

    run(ground, payer, scenario)


def test_one_who_is_older_is_not_looked_for_there(ground: Ground, payer: str) -> None:
    """After thirty days a child has authorizations of its own."""

    async def scenario(desk: Office) -> None:
        await desk.push(member=MOTHER)
        older = {"id": "M0002", "mother_member_id": "M0001", "birth_date": "2026-01-01"}
        answer = await desk.adjudicate(member=older)
        assert answer["lines"][0]["results"][0]["class"] == "none"

    run(ground, payer, scenario)
