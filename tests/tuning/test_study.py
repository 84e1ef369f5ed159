"""A study as it is written: the same bytes each time, its hashes, and how far it reaches."""

import hashlib
from dataclasses import replace
from typing import Any

import orjson
import pytest

from service.accounting.planning.tallies import Held
from service.tuning.judging import run
from service.tuning.page import csv_of
from service.tuning.study import (
    PARTS,
    Decided,
    Hashing,
    decided_in,
    lines_in,
    member_of,
    reach_of,
    read_line,
    read_record,
    widest_search,
    write_line,
)
from tests.builders import build_authorization, build_candidate, build_claim
from tests.tuning.building import edited, frozen, known_study, report_of

DECIDED = Decided(line=1, kind="authorization", match_class="exact", chosen=("A",), events=("E",))
WHOLE = replace(
    frozen(build_claim(), build_authorization()),
    held=Held(sums={"units|2026": 3}, tokens=frozenset({"b", "a"})),
    decided=(DECIDED,),
)


def test_all_of_a_claim_is_read_back() -> None:
    """Byte for byte, with what is counted elsewhere and how it was decided."""
    line = write_line(WHOLE)
    again = read_line(line)

    assert write_line(again) == line
    assert again.held == WHOLE.held
    assert again.decided == (DECIDED,)
    assert decided_in(DECIDED.as_record()) == DECIDED
    assert [member_of(each) for each in again.candidates] == [again.claim.member.id]
    assert member_of(replace(build_candidate(build_authorization()), terms=None)) is None
    assert lines_in([WHOLE, again]) == 2 * len(WHOLE.claim.lines)


@pytest.mark.parametrize("broken", [{}, {"held": None}, {"reach": 3}, {"decided": [{}]}])
def test_what_is_no_claim_of_a_study_is_refused(broken: dict[str, Any]) -> None:
    """Something is missing, or is of another kind."""
    record = orjson.loads(write_line(WHOLE)) | broken if broken else {}
    with pytest.raises(ValueError, match="no claim of a study"):
        read_record(record)


def test_the_hash_is_that_of_all_bytes_and_each_part_has_its_own() -> None:
    """A decision more changes the whole and the decisions alone."""
    lines = [write_line(WHOLE), write_line(replace(WHOLE, decided=()))]
    found = []
    for each in lines:
        hashing = Hashing()
        hashing.add(each)
        found.append(hashing.hashes())

    assert found[0]["study"] == hashlib.sha256(lines[0] + b"\n").hexdigest()
    differing = {name for name in ("study", *PARTS) if found[0][name] != found[1][name]}
    assert differing == {"study", "decisions"}


@pytest.mark.parametrize(
    ("days", "line", "expected"),
    [
        (0, {}, ("2026-03-12", "2026-03-12")),
        (30, {}, ("2026-02-10", "2026-04-11")),
        (7, {"from": "2026-03-01", "to": "2026-03-31"}, ("2026-02-22", "2026-04-07")),
        (365, {"from": "9999-12-30", "to": "9999-12-31"}, ("9998-12-30", "9999-12-31")),
    ],
)
def test_a_study_reaches_so_many_days_around_a_claim(
    days: int, line: dict[str, Any], expected: tuple[str, str]
) -> None:
    """And no further than the calendar."""
    given = {"from": "2026-03-12", "to": "2026-03-12", **line}
    assert reach_of(build_claim(line=given), days) == expected


def test_the_search_is_for_days_or_numbers() -> None:
    """Of any kind, setting and status; without a number of the claim for days alone."""
    (numbered,) = widest_search(build_claim(), ("2026-03-01", "2026-03-31"), timeout_ms=5).filter
    plain = build_claim(authorization_numbers=[])
    (without,) = widest_search(plain, ("2026-03-01", "2026-03-31"), timeout_ms=5).filter

    assert [next(iter(each)) for each in numbered["bool"]["should"]] == ["range", "terms"]
    assert [next(iter(each)) for each in without["bool"]["should"]] == ["range"]


def test_another_member_is_nobody_known() -> None:
    """A study knows the member of its claim alone."""
    assert run(WHOLE.prepare("demo", WHOLE.claim.member.id)) == WHOLE.person
    assert run(WHOLE.prepare("demo", "M-else")).ids == ("M-else",)


@pytest.mark.parametrize(
    ("claim_id", "cell"),
    [("=1+1", "'=1+1"), ('a "b", c', '"a ""b"", c"'), ("plain", "plain"), ("-3", "'-3")],
)
def test_a_cell_is_no_formula(claim_id: str, cell: str) -> None:
    """Whatever a payer calls its claims, and whatever separates cells."""
    one = known_study()[0]
    claims = [replace(one, claim=one.claim.model_copy(update={"claim_id": claim_id}))]
    gone = edited(("professional.yaml", "{id: rendering_npi, full: true,", "{id: rendering_npi,"))
    heads, row = csv_of(report_of(claims, gone))

    assert heads.startswith("harm,claim_id,")
    assert row.startswith(f"exact_lost,{cell},")
