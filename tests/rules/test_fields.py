"""The fields of a template: what a form shows of its text, and sets in it."""

import pytest

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
        ("a: &x {b: 1}\nc: *x\nd: [*x]", {"a b": "1"}),
        ("a: '5'\nb: 0x10\nc: 1e3\nd: text\n? [1]\n: 3", {}),
        ("\ufeffa: 1", {"a": "1"}),
        ("", {}),
        ("7", {}),
        ("- 7", {}),
        ("{", {}),
        ("[" * 900, {}),
        ("a: 1\0", {}),
        ("a: 1" + " " * TEXT_MAX, {}),
    ],
)
def test_numbers_and_switches_are_fields(text: str, fields: dict[str, str]) -> None:
    """As they are written, by the ids of what they are of; nothing of what cannot be read."""
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


@pytest.mark.parametrize(
    ("path", "written", "reason"),
    [
        (("auto_resolve", "lead"), "many", "auto_resolve lead takes a number"),
        (("auto_resolve", "lead"), "true", "takes a number"),
        (("auto_resolve", "lead"), "1\nid: two", "takes a number"),
        (("auto_resolve", "enabled"), "1", "takes true or false"),
        (("auto_resolve", "min"), "1", "auto_resolve min is no number or switch of the text"),
        (("id",), "two", "is no number or switch"),
    ],
)
def test_only_a_number_stands_for_one(path: tuple[str, ...], written: str, reason: str) -> None:
    """It says what can."""
    with pytest.raises(ValueError, match=reason):
        with_fields(TEMPLATE, {path: written})
