"""The fields of a template: what a form shows of its text, and sets in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from service.rules.fields import FIELDS_MAX, TEXT_MAX, fields_of, with_fields
from service.rules.texts import read_folder
from service.settings import Settings

TEMPLATE = """# a remark
id: one
version: 3
settings: {match_days: {max: 30}}  # stays
criteria:
  - {id: dates, levels: [{id: inside, full: true, weight: 20}, {weight: 1}]}
auto_resolve: {enabled: false, lead: -1.5}
tests:
  - {id: t, line: 2}
"""


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            TEMPLATE,
            {
                "settings match_days max": "30",
                "criteria dates levels inside full": "true",
                "criteria dates levels inside weight": "20",
                "auto_resolve enabled": "false",
                "auto_resolve lead": "-1.5",
            },
        ),
        ("a: &x {b: 1}\nc: *x\nd: [*x]\ne: &y [1]\nf: *y", {"a b": "1"}),
        ("a: '5'\nb: 0x10\nc: 1e3\nd: text\ne: [1, 2]\n? [1]\n: 3", {}),
        ("\ufeffa: 1", {"a": "1"}),
        ("title: A title", {"title": "A title"}),
        ("title: 'it''s \"one\"'", {"title": 'it\'s "one"'}),
        ('title: "a\\nb"\nextends: " a"', {}),
        ("title: |\n  one\n  two", {}),
        ("title: &t One\nextends: *t", {}),
        ("title: 5\nextends: null\nabstract: 'true'", {}),
        ("title: [a, b]\nauto_resolve: [a]\nkind: QueryTemplate\napi: x\nid: y", {}),
        ("rank: [number, effective.from]", {"rank": "number, effective.from"}),
        ("rank: [number, size]\nnon_exact: {needs: ['a,b'], min: true}", {}),
        ("rank:\n  - number", {}),
        ("rank: [number, # first\n  effective.from]", {}),
        ("non_exact: {needs: []}", {"non_exact needs": ""}),
        ("auto_resolve: {enabled: 5}\nnon_exact: {needs: [{id: a}]}", {}),
        (
            "criteria: [{id: c, on_claim_missing: skip, claim_absent_is: null, levels: [{id: l,"
            " claim: line.from, value: ['11', x], days: match_days, raw: {term: {n: 2}}}]}]",
            {
                "criteria c on_claim_missing": "skip",
                "criteria c levels l claim": "line.from",
                "criteria c levels l value": "11, x",
                "criteria c levels l days": "match_days",
                "criteria c levels l raw term n": "2",
            },
        ),
        ("criteria: [{id: c, on_claim_missing: perhaps, levels: [{id: l, days: many}]}]", {}),
        ("", {}),
        ("7", {}),
        ("- 7", {}),
        ("{", {}),
        ("[" * 900, {}),
        ("a: 1\0", {}),
        ("a: 1" + " " * TEXT_MAX, {}),
    ],
)
def test_what_the_schema_describes_is_a_field(text: str, fields: dict[str, str]) -> None:
    """As it is written in one line, by the ids of what it is of; of what is not described, numbers
    and switches alone.
    """
    assert {" ".join(each.path): each.written for each in fields_of(text)} == fields


def test_there_are_not_too_many() -> None:
    """Of a text without end the first ones."""
    text = "\n".join(f"k{number}: 1" for number in range(FIELDS_MAX + 1))
    assert len(fields_of(text)) == FIELDS_MAX


def test_a_value_is_set_where_it_stands() -> None:
    """Remarks and all else stay as they are."""
    path = ("criteria", "dates", "levels", "inside")
    values = {(*path, "weight"): "5", (*path, "full"): "false", ("auto_resolve", "lead"): "10"}
    expected = (
        TEMPLATE.replace("weight: 20", "weight: 5")
        .replace("full: true", "full: false")
        .replace("-1.5", "10")
    )
    assert with_fields(TEMPLATE, values) == expected
    for file, text in read_folder(Settings().queries_dir).items():
        assert with_fields(text, {}) == text, file


LEVEL = "criteria: [{id: c, on_claim_missing: skip, levels: [{id: l, claim: a.b, days: 3}]}]  # x"
AT = ("criteria", "c", "levels", "l")


@pytest.mark.parametrize(
    ("text", "path", "written", "expected"),
    [
        ("title: One # r", ("title",), "Two three", "title: Two three # r"),
        ("title: One", ("title",), "it's: [1]", 'title: "it\'s: [1]"'),
        ("title: 'One'", ("title",), "true", 'title: "true"'),
        ("title: One", ("title",), "5", 'title: "5"'),
        ("title: One", ("title",), "", 'title: ""'),
        ("rank: [number]", ("rank",), "effective.from,number,", "rank: [effective.from, number]"),
        ("rank: [number]", ("rank",), "effective.from", "rank: effective.from"),
        ("rank: [number]", ("rank",), "", "rank: []"),
        (LEVEL, (*AT, "claim"), "a.b, c", LEVEL.replace("a.b", "[a.b, c]")),
        (LEVEL, (*AT, "claim"), "a.b, 11", LEVEL.replace("a.b", '[a.b, "11"]')),
        (LEVEL, (*AT, "days"), "match_days", LEVEL.replace("days: 3", "days: match_days")),
        (
            LEVEL,
            ("criteria", "c", "on_claim_missing"),
            "skip_and_bar_exact",
            LEVEL.replace(": skip", ": skip_and_bar_exact"),
        ),
    ],
)
def test_texts_and_lists_are_written_as_yaml_has_them(
    text: str, path: tuple[str, ...], written: str, expected: str
) -> None:
    """With quotes where they need them, and remarks as they were."""
    assert with_fields(text, {path: written}) == expected


@given(st.text(), st.lists(st.text()))
def test_what_is_set_is_what_is_read(title: str, needs: list[str]) -> None:
    """Whatever somebody types: what is set is the value, or it is refused."""
    values = {("title",): title, ("non_exact", "needs"): ",".join(needs)}
    try:
        changed = with_fields("title: One\nnon_exact: {needs: [a], min: 5}\n", values)
    except ValueError:
        assert not "".join(values.values()).isprintable()
        return
    read = YAML(typ="safe").load(changed)
    wanted = [each.strip() for each in ",".join(needs).split(",") if each.strip()]
    found = read["non_exact"]["needs"]
    assert (read["title"], [found] if isinstance(found, str) else found) == (title, wanted)
    assert read["non_exact"]["min"] == 5


@pytest.mark.parametrize(
    ("path", "written", "reason"),
    [
        (("auto_resolve", "lead"), "many", "auto_resolve lead takes a number"),
        (("auto_resolve", "lead"), "true", "takes a number"),
        (("auto_resolve", "lead"), "1\nid: two", "takes a number"),
        (("auto_resolve", "enabled"), "1", "takes true or false"),
        (("auto_resolve", "min"), "1", "auto_resolve min is no field of the text"),
        (("id",), "two", "is no field"),
    ],
)
def test_only_a_number_stands_for_one(path: tuple[str, ...], written: str, reason: str) -> None:
    """It says what can."""
    with pytest.raises(ValueError, match=reason):
        with_fields(TEMPLATE, {path: written})


@pytest.mark.parametrize(
    ("path", "written", "reason"),
    [
        ((*AT, "days"), "many", "levels l days takes a number of match_days"),
        (("criteria", "c", "on_claim_missing"), "x", "takes a choice of skip, skip_and_bar_exact"),
        ((*AT, "claim"), "a\nb: c", "takes a list"),
        (("title",), "a\u2028b", "title takes text"),
        (("rank",), "number, size", "takes a list of certification_date"),
    ],
)
def test_only_what_is_described_is_taken(path: tuple[str, ...], written: str, reason: str) -> None:
    """Of a choice and of a list what may stand there is named."""
    with pytest.raises(ValueError, match=reason):
        with_fields(f"title: One\nrank: [number]\n{LEVEL}", {path: written})
