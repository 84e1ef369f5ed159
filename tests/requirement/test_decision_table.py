"""Which tables are refused, and how an accepted one answers."""

from collections.abc import Callable
from typing import Any

import pytest

from service.domain.reference import References
from service.requirement._cells import InputColumn, Value
from service.requirement._decision_table import DecisionTable
from service.requirement.faults import TableFault, TableProblem, TableRefused
from service.requirement.tables import contract, load_table
from tests.builders import TEMPLATES

NAME = "is-authorization-required"
ANY: dict[str, Value] = {"claim.type": "professional", "line.units": 1, "line.procedure": "97112"}

BuildJdm = Callable[..., dict[str, Any]]
AsText = Callable[[Any], str]


Load = Callable[[Any], DecisionTable]
Refused = Callable[[Any], tuple[TableProblem, ...]]


@pytest.mark.parametrize("text", ["{", "", b"\xff", "[]", "{}", '{"nodes": 3, "edges": []}'])
def test_a_file_that_is_no_table_is_refused(text: str | bytes, references: References) -> None:
    """Bad JSON, and JSON of another shape, name what is wrong."""
    with pytest.raises(TableRefused, match=NAME):
        load_table(NAME, text, references, TEMPLATES)


def test_an_unknown_table_has_no_contract(references: References) -> None:
    """Only the two tables of this stage can be loaded."""
    with pytest.raises(KeyError):
        contract("is-it-tuesday", references, TEMPLATES)


def test_a_second_table_in_a_file_is_refused(build_jdm: BuildJdm, refused: Refused) -> None:
    """One file is one table: with two the row that fired would not be the reason."""
    document = build_jdm(["claim.type"], [([""], "[]")])
    document["nodes"].append(document["nodes"][1])

    assert refused(document)[0].hint == "keep exactly one input, one decision table and one output"


def test_a_file_of_nothing_is_refused(refused: Refused) -> None:
    """A graph without nodes holds no table."""
    assert refused({"nodes": [], "edges": []})[0].message == "the file holds nothing"


def test_nodes_that_are_not_connected_are_refused(build_jdm: BuildJdm, refused: Refused) -> None:
    """Without its edges the table would never be asked."""
    document = build_jdm(["claim.type"], [([""], "[]")])
    document["edges"].pop()

    assert refused(document)[0].path == "edges"


def test_a_table_without_rows_is_refused(build_jdm: BuildJdm, refused: Refused) -> None:
    """The path of a malformed part is given."""
    assert refused(build_jdm(["claim.type"], []))[0].path == "table.rules"


def test_a_graph_that_zen_does_not_take_is_refused(build_jdm: BuildJdm, refused: Refused) -> None:
    """zen checks the file a second time, by its own rules."""
    document = build_jdm(["claim.type"], [([""], "[]")])
    del document["nodes"][0]["name"]

    assert refused(document)[0].message.startswith("zen refuses it")


def test_another_hit_policy_is_refused(build_jdm: BuildJdm, refused: Refused) -> None:
    """With "collect" many rows would fire."""
    document = build_jdm(["claim.type"], [([""], "[]")])
    document["nodes"][1]["content"]["hitPolicy"] = "collect"

    assert refused(document) == (TableProblem("table.hitPolicy", "is collect", "set it to first"),)


def test_a_table_without_a_catch_all_row_is_refused(build_jdm: BuildJdm, refused: Refused) -> None:
    """A claim that fits no row must not be without an answer."""
    (problem,) = refused(build_jdm(["claim.type"], [(['"dental"'], "[]")]))

    assert (problem.path, problem.message) == (
        "table.rules[0]",
        "the last row is not a catch-all",
    )


def test_rows_below_a_catch_all_are_refused(build_jdm: BuildJdm, refused: Refused) -> None:
    """They could never fit, which is never what was meant."""
    (problem,) = refused(build_jdm(["claim.type"], [([""], "[]"), ([""], "[]")]))

    assert (problem.path, problem.message) == ("table.rules[0]", "the rows below can never fit")


@pytest.mark.parametrize(
    ("column", "message", "hint"),
    [
        ("line.proceedure", "unknown column line.proceedure", "did you mean line.procedure?"),
        ("claim.attached.regoin", "unknown column claim.attached.regoin",
         "did you mean claim.attached.region?"),
        ("requested.type", "unknown column requested.type", ""),
        ("", "unknown column without a field", ""),
    ],
)  # fmt: skip
def test_an_unknown_column_is_refused_with_the_closest_name(
    build_jdm: BuildJdm, refused: Refused, column: str, message: str, hint: str
) -> None:
    """A column that no claim has would silently never fit."""
    (problem,) = refused(build_jdm([column], [([""], "[]")]))

    assert (problem.path, problem.message) == ("table.inputs[0]", message)
    assert problem.hint in (hint, "did you mean claim.type?")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["linked"], "the table must answer needed, once"),
        (["needed", "needed"], "the table must answer needed, once"),
        (["needed", "colour"], "unknown column colour"),
    ],
)
def test_the_answers_of_a_table_are_fixed(
    build_jdm: BuildJdm, refused: Refused, fields: list[str], message: str
) -> None:
    """A table must answer what it is asked, and nothing else."""
    document = build_jdm(["claim.type"], [([""], "[]")])
    document["nodes"][1]["content"]["outputs"] = [
        {"id": f"o{number}", "name": name, "field": name} for number, name in enumerate(fields)
    ]

    assert message in [problem.message for problem in refused(document)]


def test_two_columns_of_one_id_are_refused(build_jdm: BuildJdm, refused: Refused) -> None:
    """Cells stand under column ids, so these must differ."""
    document = build_jdm(["claim.type"], [([""], "[]")])
    document["nodes"][1]["content"]["outputs"][0]["id"] = "i0"

    assert refused(document)[0].message == "the column id i0 stands twice"


@pytest.mark.parametrize(("row_id", "message"), [("", "no _id"), ("r0", "the _id r0 stands twice")])
def test_a_row_without_an_id_of_its_own_is_refused(
    build_jdm: BuildJdm, refused: Refused, row_id: str, message: str
) -> None:
    """The row that fired is found by its id."""
    document = build_jdm(["claim.type"], [(['"dental"'], "[]"), ([""], "[]")])
    document["nodes"][1]["content"]["rules"][1]["_id"] = row_id

    assert [problem.message for problem in refused(document)] == [message]


@pytest.mark.parametrize(
    ("cell", "column", "message", "hint"),
    [
        ("startsWith($", "line.procedure", "not a condition: startsWith($", "leave the cell empty"),
        ("-", "line.procedure", "not a condition: -", "leave the cell empty"),
        ("D2740", "line.procedure", "unknown word D2740", 'text is written in quotes: "D2740"'),
        ("`D27`", "line.procedure", "templates in backticks", "quote text"),
        ("startWith($, 'D')", "line.procedure", "unknown function startWith", "startsWith?"),
        ("rand(9) > 3", "line.units", "unknown function rand", ""),
        ("claim.typ == 'dental'", "line.procedure", "unknown column claim.typ", "claim.type?"),
        ("$.length > 3", "line.procedure", "unknown column $.length", ""),
        ("claim == null", "line.procedure", "unknown word claim", ""),
        ("$ > line.procedure", "line.procedure", "fails on 'A'", "line.procedure holds text"),
        ("number($) in [97110..97140]", "line.procedure", "fails on 'A'", "holds text"),
        ('["RT"]', "line.modifiers", "line.modifiers holds several texts", "contains($, 'RT')"),
        ('len($) > 1 or $ > 2', "line.modifiers", "fails on ()", "holds texts"),
        ("450", "line.revenue_code", "line.revenue_code is never a number", "in quotes"),
        ('"yes"', "claim.emergency", "claim.emergency is never a text", "without quotes"),
        ('> "5"', "line.units", "line.units is never a text", "without quotes"),
        ('"dentist"', "claim.type", 'claim.type is never "dentist"', "did you mean dental?"),
        ('contains($, "terapy")', "line.procedure_groups", 'is never "terapy"', "therapy?"),
        ('"450"', "line.revenue_code", 'line.revenue_code is never "450"', 'write "0450"'),
        ('"0111"', "claim.bill_type", 'claim.bill_type is never "0111"', 'write "11"'),
        ('date($) > date("now")', "claim.attached.review_due", "date() takes a fixed day",
         'write it as "2026-12-31"'),
        ('date($) > date("yesterday") and $ != line.procedure', "claim.attached.review_due",
         "date() takes a fixed day", ""),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_trusted_is_refused(
    build_jdm: BuildJdm, refused: Refused, cell: str, column: str, message: str, hint: str
) -> None:
    """zen would take each of these for "does not fit", silently."""
    problem = refused(build_jdm([column], [([cell], "[]"), ([""], "[]")]))[0]

    assert problem.path == f"table.rules[0].{column}"
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        ("", "no answer", "write [] for none"),
        ("line.procedure", "not a constant: line.procedure", 'write ["authorization"]'),
        ('["autorization"]', "unknown answer autorization", "did you mean authorization?"),
        ("7", "unknown answer 7", 'write ["authorization"]'),
    ],
)
def test_an_answer_that_is_not_known_is_refused(
    build_jdm: BuildJdm, refused: Refused, answer: str, message: str, hint: str
) -> None:
    """Answers are constants, so that all a table can say is known before it is live."""
    assert refused(build_jdm(["claim.type"], [([""], answer)])) == (
        TableProblem("table.rules[0].needed", message, hint),
    )


def test_the_template_is_one_text(
    build_jdm: BuildJdm, as_text: AsText, references: References
) -> None:
    """A list of templates is no answer, nor is none."""
    document = build_jdm(
        ["claim.type"], [(['"dental"'], '["dental"]'), ([""], "")], answer="template"
    )
    with pytest.raises(TableRefused, match="and 1 more") as caught:
        load_table("requested-auth-type", as_text(document), references, TEMPLATES)

    assert [problem.message for problem in caught.value.problems] == [
        "unknown answer ['dental']",
        "no answer",
    ]


def test_of_two_rows_that_fit_the_first_answers(build_jdm: BuildJdm, load: Load) -> None:
    """The row is named by its description, and has its place and its answers."""
    table = load(
        build_jdm(
            ["claim.type", "line.units"],
            [
                (['"dental"', ""], "[]"),
                (["", "> 0"], '"referral"'),
                (['"professional"', ""], '["authorization", "authorization"]'),
                (["", ""], "[]"),
            ],
        )
    )
    second = table.decide({"claim.type": "professional", "line.units": 2}).sure
    third = table.decide({"claim.type": "professional", "line.units": 0}).sure

    assert (second.id, second.name, second.index) == ("r1", "row 1", 1)
    assert dict(second.outputs) == {"needed": ("referral",)}
    assert dict(third.outputs) == {"needed": ("authorization",)}


def test_a_row_without_a_description_is_named_by_its_id(build_jdm: BuildJdm, load: Load) -> None:
    """Ops may leave a row unnamed."""
    document = build_jdm(["claim.type"], [([""], "[]")])
    del document["nodes"][1]["content"]["rules"][0]["_description"]

    assert load(document).decide({}).sure.name == "r0"


def test_a_table_reads_only_the_columns_that_its_cells_name(
    build_jdm: BuildJdm, load: Load
) -> None:
    """A column without cells is not read; one that is named in another's cell is."""
    table = load(
        build_jdm(
            ["claim.type", "line.procedure"],
            [(["", '$ == "97112" and line.units > 2'], "[]"), (["", ""], "[]")],
        )
    )

    assert table.columns == ("line.procedure", "line.units")


def test_the_same_question_is_asked_once(build_jdm: BuildJdm, load: Load) -> None:
    """Remembered by what the table reads, by the conditions that the values fulfil."""
    table = load(
        build_jdm(
            ["line.charge", "line.procedure"],
            [(["> 500", '"97112"'], '["authorization"]'), (["", ""], "[]")],
        )
    )
    for charge in (1, 2.5, 500):
        assert table.decide({**ANY, "line.charge": charge}).sure.index == 1
    for charge in (501, 9000):
        assert table.decide({**ANY, "line.charge": charge}).sure.index == 0
    assert table.decide({**ANY, "line.charge": 501, "line.procedure": "97110"}).sure.index == 1

    assert table.questions == (3, 3)


def test_a_column_read_beside_another_is_remembered_by_its_value(
    build_jdm: BuildJdm, load: Load
) -> None:
    """What a condition on two columns sees cannot be told from one of them."""
    rows = [(["$ > 1 and line.charge > $"], "[]"), ([""], "[]")]
    table = load(build_jdm(["line.units"], rows))
    for units in (2, 3, 2):
        table.decide({"line.units": units, "line.charge": 9})

    assert table.questions == (1, 2)


def test_the_hash_is_of_what_decides(build_jdm: BuildJdm, load: Load) -> None:
    """A table moved in the editor is the same table; another answer makes another."""
    document = build_jdm(["claim.type"], [([""], "[]")])
    moved = build_jdm(["claim.type"], [([" "], "[] ")])
    moved["nodes"][1]["position"]["x"] = 400
    other = build_jdm(["claim.type"], [([""], '["referral"]')])

    assert load(document).hash == load(moved).hash != load(other).hash
    assert load(document).short_hash == load(document).hash[:12]


def test_a_value_that_cannot_be_judged_is_a_fault(build_jdm: BuildJdm, load: Load) -> None:
    """zen would pass over the row and answer "not required"."""
    table = load(build_jdm(["line.units"], [(["> 3"], '["authorization"]'), ([""], "[]")]))

    with pytest.raises(TableFault, match="row row 0 cannot be judged"):
        table.decide({"line.units": "many"})


class Silent:
    """A decision of zen whose answer can be chosen."""

    def __init__(self, fired: str | None) -> None:
        self.fired = fired

    def evaluate(self, context: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """Answer with the chosen row, or fail when it is empty."""
        if self.fired == "":
            raise RuntimeError("no memory")
        trace = {"rule": {"_id": self.fired}} if self.fired else None
        return {"trace": {"in": {"traceData": None}, "table": {"traceData": trace}}}


@pytest.mark.parametrize(
    ("fired", "reason"),
    [("", "zen failed"), (None, "zen names no row"), ("r0", "name two rows")],
)
def test_a_failure_of_zen_is_a_fault(
    build_jdm: BuildJdm,
    load: Load,
    monkeypatch: pytest.MonkeyPatch,
    fired: str | None,
    reason: str,
) -> None:
    """Never "not required": an engine that fails, or disagrees with us, stops the claim."""
    table = load(build_jdm(["claim.type"], [(['"dental"'], "[]"), ([""], "[]")]))
    monkeypatch.setattr(table, "_decision", Silent(fired))

    with pytest.raises(TableFault, match=reason):
        table.decide({"claim.type": "professional"})


def test_samples_of_a_column_are_its_own_or_those_of_its_kind() -> None:
    """Every cell is tried on them before its table is accepted."""
    days = InputColumn(title="Day.", kind="text", tried=("2026-01-31",))
    types = InputColumn(title="Type.", kind="text", values=frozenset({"b", "a"}))

    assert days.samples == ("2026-01-31",)
    assert types.samples == ("a", "b")
