"""An extension adds to what stands: further lines, or more of one that is there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.authorization import Authorization
from service.domain.extension import CannotBeAdded, is_extension, state_of
from tests.builders import build_authorization

PT: dict[str, Any] = {"procedure": {"from": "97110"}}
MANUAL: dict[str, Any] = {"procedure": {"from": "97140"}}
MARCH: dict[str, Any] = {"effective": {"from": "2026-03-01", "to": "2026-03-31"}}
APRIL: dict[str, Any] = {"effective": {"from": "2026-04-01", "to": "2026-04-30"}}


def units(count: str, unit: str = "UN", **more: Any) -> dict[str, Any]:
    """Limits of a header or line."""
    return {"limits": {"units": count, "unit": unit, **more}}


def first(*lines: dict[str, Any], **header: Any) -> Authorization:
    """What stands: ten units of a service in March, if nothing else is said."""
    return build_authorization(lines=list(lines) or [PT | units("10")], **MARCH | header)


def more(*lines: dict[str, Any], version: int = 2, **header: Any) -> Authorization:
    """An extension: six units of it in April, if nothing else is said."""
    usual: dict[str, Any] = {"certification_type": "4", "version": version, "number": None}
    return build_authorization(lines=list(lines) or [PT | units("6")], **APRIL | usual | header)


def told(state: Authorization) -> list[str]:
    """The lines: number, service, days, units, decision."""
    lines = []
    for line in state.lines:
        days = line.effective or state.effective
        limits = line.limits
        words = [
            f"{line.line} {line.procedure.from_ if line.procedure else None}",
            f"{days.from_:%m-%d}..{days.to:%m-%d}" if days and days.from_ and days.to else "",
            f"{limits.units:f}" if limits and limits.units is not None else "no limit",
            (line.decision and line.decision.action) or "",
        ]
        lines.append(" ".join(filter(None, words)))
    return lines


@pytest.mark.parametrize(
    ("header", "lines", "expected"),
    [
        ({"certification_type": "4"}, [{}], True),
        ({"certification_type": "I"}, [{"certification_type": "4"}], False),
        ({}, [{"certification_type": "4"}, {"certification_type": "4"}], True),
        ({}, [{"certification_type": "4"}, {"certification_type": "I"}], False),
        ({}, [{"certification_type": "4"}, {}], False),
        ({}, [], False),
    ],
)
def test_what_is_an_extension(header: Any, lines: list[Any], expected: bool) -> None:
    """Its header says so; else all of its lines do: one that has all lines again replaces."""
    assert is_extension(build_authorization(lines=lines, **header)) is expected


def test_a_further_line_has_what_its_header_says() -> None:
    """Days, decision, provider; the header of what stands is as it was, in the newer version."""
    provider = {"npi": "1999999984"}
    extension = more(servicing_provider=provider, trace_numbers=["T2"], number="N2")
    state = state_of([first(), extension])

    assert told(state) == ["1 97110 03-01..03-31 10", "2 97110 04-01..04-30 6 A1"]
    assert (state.version, state.trace_numbers) == (2, ("T2",))
    assert state.effective == first().effective
    assert state.lines[1].servicing_provider != state.servicing_provider
    assert state.lines[1].number == "N2"


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        (more(**MARCH), ["1 97110 03-01..03-31 16"]),
        (
            more(MANUAL | units("6"), **MARCH),
            ["1 97110 03-01..03-31 10", "2 97140 03-01..03-31 6 A1"],
        ),
        (
            more(PT | units("6", "HS"), **MARCH),
            ["1 97110 03-01..03-31 10", "2 97110 03-01..03-31 6 A1"],
        ),
        (
            more(PT | units("6", amount="5"), **MARCH),
            ["1 97110 03-01..03-31 10", "2 97110 03-01..03-31 6 A1"],
        ),
        (more(PT, **MARCH), ["1 97110 03-01..03-31 10", "2 97110 03-01..03-31 no limit A1"]),
        (
            more(decision={"action": "A4"}, **MARCH),
            ["1 97110 03-01..03-31 10", "2 97110 03-01..03-31 6 A4"],
        ),
        (more(PT, **MARCH, **units("6")), ["1 97110 03-01..03-31 16"]),
        (
            more(PT, decision={"action": "A2"}),
            ["1 97110 03-01..03-31 10", "2 97110 04-01..04-30 no limit A4"],
        ),
    ],
)
def test_more_of_the_same_days_is_more_of_the_same_line(
    extension: Authorization, expected: list[str]
) -> None:
    """In the same measure, and decided alike; else it is a line of its own."""
    assert told(state_of([first(), extension])) == expected


def test_a_line_that_was_pended_is_decided_by_the_next() -> None:
    """It does not stand beside itself."""
    pended = more(decision={"action": "A4"}, trace_numbers=["T2"])
    state = state_of([first(), pended, more(version=3, trace_numbers=["T3"])])

    assert told(state) == ["1 97110 03-01..03-31 10", "2 97110 04-01..04-30 6 A1"]


@pytest.mark.parametrize(
    "again",
    [
        [more(), more(version=3)],
        [more(trace_numbers=["T2"]), more(PT | units("8"), version=3, trace_numbers=["T2"])],
        [more(source={"system": "A"}), more(version=3, source={"system": "B"})],
    ],
)
def test_what_is_said_again_counts_once(again: list[Authorization]) -> None:
    """The same content, or another answer to the same request; the last of these counts."""
    assert len(state_of([first(), *again]).lines) == 2
    assert len(state_of(again).lines) == 1


def test_the_trace_of_a_request_tells_extensions_apart() -> None:
    """Two that say the same and answer two requests are two."""
    state = state_of([first(), more(trace_numbers=["T2"]), more(version=3, trace_numbers=["T3"])])
    assert told(state) == ["1 97110 03-01..03-31 10", "2 97110 04-01..04-30 12 A1"]


def test_a_header_without_lines_becomes_a_line() -> None:
    """Its limit is that of the line."""
    state = state_of([build_authorization(lines=[], **MARCH, **units("10", "DA")), more(MANUAL)])

    assert told(state) == ["1 None 03-01..03-31 10", "2 97140 04-01..04-30 no limit A1"]
    assert state.limits is None


@pytest.mark.parametrize(
    ("header", "extension", "expected"),
    [
        (units("10"), more(), "16"),
        (units("10"), more(PT, **units("6")), "16"),
        (units("10"), more(PT | units("6"), MANUAL | units("1")), "17"),
    ],
)
def test_the_limit_of_the_header_grows(
    header: Any, extension: Authorization, expected: str
) -> None:
    """By what the added lines may use."""
    limits = state_of([first(PT, **header), extension]).limits
    assert limits is not None
    assert f"{limits.units:f}" == expected


@pytest.mark.parametrize(
    ("standing", "extension", "why"),
    [
        (first(), more(PT, MANUAL, **units("6")), "share one limit"),
        (first(**units("10")), more(PT), "is not said"),
        (first(**units("10")), more(PT | units("6", "HS")), "is not said"),
        (first(*[PT] * 500), more(), "too many"),
    ],
)
def test_what_cannot_be_added_is_said(
    standing: Authorization, extension: Authorization, why: str
) -> None:
    """Never wider than it was granted."""
    with pytest.raises(CannotBeAdded, match=why):
        state_of([standing, extension])


MEASURES = ("UN", "HS")


@given(
    grants=st.lists(
        st.tuples(
            st.sampled_from(("97110", "97140")),
            st.sampled_from((MARCH, APRIL)),
            st.sampled_from(MEASURES),
            st.integers(1, 9),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_nothing_is_granted_twice_and_nothing_lost(grants: list[Any]) -> None:
    """All that extensions grant together, of each service, days and measure."""
    versions = [first()]
    wanted = {("97110", "UN"): 10}
    for number, (code, days, unit, count) in enumerate(grants, start=2):
        line: dict[str, Any] = {"procedure": {"from": code}, **units(str(count), unit)}
        versions.append(more(line, version=number, trace_numbers=[f"T{number}"], **days))
        wanted[code, unit] = wanted.get((code, unit), 0) + count
    found: dict[tuple[str, str], int] = {}
    for each in state_of(versions).lines:
        assert each.procedure
        assert each.limits
        key = str(each.procedure.from_), str(each.limits.unit)
        found[key] = found.get(key, 0) + int(each.limits.units or 0)
    assert found == wanted
