"""Claims of an 837 that are adjudicated: drawn, replaced and voided as those of JSON are."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_x12 import CLAIM, EDI, REVIEW, lines_of, send

TWELVE = REVIEW.replace("HC:72148*900*UN*1", "HC:72148*900*UN*12")
GUIDE = "005010X222A1"
HEAD = [each for each in CLAIM.replace("\n", "").split("~") if each]
UPPER = HEAD[3 : HEAD.index("CLM*CL-2026-402*1020***11:B:1*Y*A*Y*Y")]


def claim(number: str, units: int = 1, frequency: str = "1", *, original: str = "") -> list[str]:
    """The segments of a claim for one imaging service."""
    reference = [f"REF*F8*{original}"] if original else []
    return [
        f"CLM*{number}*{units * 900}***11:B:{frequency}*Y*A*Y*Y", *reference, "HI*ABK:M5416",
        "NM1*82*2*EXAMPLE IMAGING*****XX*1477777776", "LX*1",
        f"SV1*HC:72148*{units * 900}*UN*{units}***1", "DTP*472*D8*20260421", "REF*G1*RAD 5521",
    ]  # fmt: skip


def file_of(*claims: list[str], at: str = "0800", count: int = 0, estimate: str = "") -> str:
    """An 837 made at a time; ``count`` is added to the number of its segments."""
    upper = [each.replace("*0800*CH", f"*{at}*CH") for each in UPPER]
    guide = estimate or GUIDE
    body = [f"ST*837*0001*{guide}", *upper, *(each for one in claims for each in one)]
    head = [HEAD[0], HEAD[1].replace(GUIDE, guide)]
    return "~\n".join([*head, *body, f"SE*{len(body) + 1 + count}*0001", *HEAD[-2:]]) + "~\n"


def adjudicated(caller: httpx.Client, text: str, path: str = "/adjudicate") -> list[dict[str, Any]]:
    """The lines of the answer."""
    return lines_of(caller.post(path, content=text.encode(), headers=EDI))


def left(told: dict[str, Any]) -> Any:
    """The units that the authorization has left after a claim."""
    (used,) = told["answer"]["lines"][0]["adjudicated_authorizations"]
    found = [each["units"]["after"]["remaining"] for each in used["accounts"]]
    return next(each for each in found if each is not None)


@pytest.mark.parametrize("path", ["/adjudicate", "/adjudicate/batch"])
def test_the_claims_of_a_file_are_drawn_in_their_order(caller: httpx.Client, path: str) -> None:
    """Those of one member one after the other; the same file again draws nothing."""
    send(caller, TWELVE)
    text = file_of(claim("C1", 5), claim("C2", 4), claim("C3", 4))

    first = adjudicated(caller, text, path)
    again = adjudicated(caller, text, path)

    assert [each["claim_id"] for each in first] == ["C1", "C2", "C3"]
    assert [each["answer"]["lines"][0]["approved"]["units"] for each in first] == ["5", "4", "3"]
    assert [left(each) for each in first] == ["7", "3", "0"]
    assert {each["answer"]["status"] for each in first} == {"used"}
    assert [each["answer"]["replayed"] for each in again] == [True] * 3
    assert caller.get("/claims/C1").json()["status"] == "used"


@pytest.mark.parametrize(
    ("number", "original"),
    [("C1", ""), ("C1", "ICN-OF-THE-PAYER"), ("C9", "C1")],
    ids=["the same number", "the number of the payer", "a new number"],
)
def test_a_claim_is_replaced_and_voided_by_its_frequency(
    caller: httpx.Client, number: str, original: str
) -> None:
    """Providers keep their own number, and name the payer's, or the first claim's."""
    send(caller, TWELVE)
    adjudicated(caller, file_of(claim("C1", 5)))

    replaced = file_of(claim(number, 3, "7", original=original), at="0900")
    (seven,) = adjudicated(caller, replaced)
    (again,) = adjudicated(caller, replaced)
    (eight,) = adjudicated(caller, file_of(claim(number, 3, "8", original=number), at="1000"))
    (after,) = adjudicated(caller, file_of(claim("C5", 12), at="1100"))

    assert left(seven) == "9"
    assert again["answer"]["replayed"] is True
    assert eight["answer"]["status"] == "void"
    assert after["answer"]["lines"][0]["approved"]["units"] == "12"


def test_an_original_that_came_twice_otherwise_is_not_drawn_twice(caller: httpx.Client) -> None:
    """The same number with other content, and no frequency that changes one."""
    send(caller, TWELVE)
    adjudicated(caller, file_of(claim("C1", 5)))

    (told,) = adjudicated(caller, file_of(claim("C1", 6)))

    assert told["problem"]["status"] == 409
    assert caller.get("/claims/C1").json()["lines"][0]["approved"]["units"] == "5"


@pytest.mark.parametrize("count", [-1, 3])
def test_claims_of_a_set_that_is_not_whole_are_matched_and_not_adjudicated(
    caller: httpx.Client, count: int
) -> None:
    """A part of it may be lost: what is wrong stands with every answer."""
    send(caller, TWELVE)
    text = file_of(claim("C1", 5), claim("C2", 4), count=count)

    matched = adjudicated(caller, text, "/match")
    told = adjudicated(caller, text)

    for each in (*matched, *told):
        assert "se-count" in [one["code"] for one in each["problems"]]
    assert [each["answer"]["lines"][0]["results"][0]["class"] for each in matched] == ["exact"] * 2
    assert [each["problem"]["status"] for each in told] == [422, 422]
    assert "not whole" in told[0]["problem"]["detail"]
    assert caller.get("/claims/C1").status_code == 404


def test_a_predetermination_draws_nothing(caller: httpx.Client) -> None:
    """It asks what would be paid."""
    send(caller, TWELVE)
    undated = [each for each in claim("C1", 5) if not each.startswith("DTP")]

    (told,) = adjudicated(caller, file_of(undated, estimate="005010X291"))

    assert told["is_predetermination"] is True
    assert told["answer"]["dry_run"] is True
    assert "estimate-undated" in [each["code"] for each in told["problems"]]
    assert caller.get("/claims/C1").status_code == 404


def test_the_example_is_adjudicated(caller: httpx.Client) -> None:
    """As it is matched."""
    send(caller, REVIEW)

    (told,) = adjudicated(caller, Path("docs/examples/claim.837").read_text(encoding="ascii"))

    assert told["answer"]["lines"][0]["disposition"] == "pay"
