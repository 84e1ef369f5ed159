"""What a table makes of values that are absent: they are unknown, neither small nor large."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.reference import References
from service.requirement._cells import Value
from service.requirement._decision_table import DecisionTable
from service.requirement.faults import TableProblem
from service.requirement.tables import IS_AUTHORIZATION_REQUIRED, load_table
from tests.requirement.conftest import build_table

BuildJdm = Callable[..., dict[str, Any]]
Load = Callable[[Any], DecisionTable]
Refused = Callable[[Any], tuple[TableProblem, ...]]
ANY: dict[str, Value] = {"line.units": 1}

UNITS_AND_PROCEDURE = [
    (["> 3", ""], '["authorization"]'),
    (["", 'line.units > 1 and startsWith($, "9")'], '["notification"]'),
    (["", '"A0430"'], '["notification"]'),
    (["null", ""], '["referral"]'),
    (["", ""], "[]"),
]


@pytest.mark.parametrize(
    ("units", "procedure", "rows", "unknown"),
    [
        (4, "97112", [0], ()),
        (2, "97112", [1], ()),
        (1, "97112", [4], ()),
        (None, "97112", [0, 1, 3], ("line.units",)),
        (None, "A0430", [0, 1, 2], ("line.units",)),
        (2, None, [1, 2, 4], ("line.procedure",)),
        (4, None, [0], ()),
        (None, None, [0, 1, 2, 3], ("line.units", "line.procedure")),
    ],
)
def test_a_condition_on_an_absent_value_is_unknown(
    build_jdm: BuildJdm,
    load: Load,
    units: int | None,
    procedure: str | None,
    rows: list[int],
    unknown: tuple[str, ...],
) -> None:
    """All rows that may fire are named, down to the first that surely fits."""
    table = load(build_jdm(["line.units", "line.procedure"], UNITS_AND_PROCEDURE))

    decided = table.decide({"line.units": units, "line.procedure": procedure})

    assert [row.index for row in decided.rows] == rows
    assert decided.unknown == unknown
    assert decided.sure.index == rows[-1]


@pytest.mark.parametrize(
    "cell", ["> 500", "!= 500", "not($ in [500])", "[0..500]", "line.units > $"]
)
@pytest.mark.parametrize("order", [(None, 100), (100, None)])
def test_absent_is_never_remembered_as_small(
    build_jdm: BuildJdm, load: Load, cell: str, order: tuple[int | None, ...]
) -> None:
    """A question without a charge is another one than a question with a small charge."""
    rows = [([cell], '["authorization"]'), ([""], "[]")]
    table = load(build_jdm(["line.charge"], rows))

    found = {charge: table.decide({**ANY, "line.charge": charge}) for charge in order}

    assert (len(found[None].rows), len(found[100].rows)) == (2, 1)
    assert (found[None].unknown, found[100].unknown) == (("line.charge",), ())


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("line.charge", "$ > 5 or $ == null", "fails on None"),
        ("line.units", "$ > 5 and claim.network == null", "null stands beside other columns"),
    ],
)
def test_null_stands_alone_in_its_cell(
    build_jdm: BuildJdm, refused: Refused, column: str, cell: str, message: str
) -> None:
    """What an absent value means is said in a row of its own."""
    (problem,) = refused(build_jdm([column], [([cell], "[]"), ([""], "[]")]))

    assert problem.message.startswith(message)


CELLS = st.sampled_from(["", "> 100", "<= 100", "[50..200]", "not($ in [7])", "7", "null", "!= 7"])
PROCEDURES = st.sampled_from(["", '"A"', '"B"', '!= "A"', "null"])
ANSWERS = st.sampled_from(["[]", '["authorization"]', '["notification"]', '["referral"]'])


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(CELLS, PROCEDURES, ANSWERS), max_size=6),
    charge=st.sampled_from([0, 7, 100, 101, 201]),
    procedure=st.sampled_from(["A", "B", "C"]),
)
def test_whatever_the_value_is_its_row_was_possible(
    rows: list[tuple[str, str, str]], charge: int, procedure: str
) -> None:
    """What is absent now may turn out to be anything: the row of that was among those named."""
    told = [([one, other], answer) for one, other, answer in rows if one or other]
    document = build_table(["line.charge", "line.procedure"], [*told, (["", ""], "[]")])
    table = load_table(IS_AUTHORIZATION_REQUIRED, document, References(), frozenset())
    whole: dict[str, Value] = {"line.charge": charge, "line.procedure": procedure}
    (fired,) = table.decide(whole).rows

    for absent in ({"line.charge"}, {"line.procedure"}, set(whole)):
        known = {name: None if name in absent else value for name, value in whole.items()}
        decided = table.decide(known)
        says_null = decided.sure.index < len(told) and "null" in told[decided.sure.index][0]
        assert fired in decided.rows or says_null
        assert bool(decided.unknown) == (len(decided.rows) > 1)
