"""A set of rules is named by its number and the hash of its texts, and never changes."""

import pytest

from service.rules.rule_set import RuleSet

TEXTS = {"base.yaml": "id: base\n", "reference/units.yaml": "kind: unit-conversions\n"}


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (dict(reversed(TEXTS.items())), True),
        (TEXTS | {"base.yaml": "id: base\n# seen\n"}, False),
        (TEXTS | {"dental.yaml": ""}, False),
        ({"base.yaml": TEXTS["base.yaml"]}, False),
        ({}, False),
    ],
    ids=["another order", "a comment more", "a file more", "a file less", "nothing"],
)
def test_the_hash_is_that_of_all_texts(other: dict[str, str], is_same: bool) -> None:
    """Every character of every file counts, the order of files does not, nor does the number."""
    assert (RuleSet(TEXTS, 1).hash == RuleSet(other, 2).hash) is is_same


def test_a_set_does_not_change_with_what_it_was_made_of() -> None:
    """Nor can its texts be written to."""
    texts = dict(TEXTS)
    made = RuleSet(texts, 4)
    before = made.hash
    texts["base.yaml"] = "id: other\n"

    assert dict(made.texts) == TEXTS
    assert made.hash == before == RuleSet(made.texts).hash
    with pytest.raises(TypeError):
        made.texts["base.yaml"] = ""  # type: ignore[index]


@pytest.mark.parametrize(("number", "named"), [(7, "7:"), (None, "unkept:")])
def test_how_an_answer_names_it(number: int | None, named: str) -> None:
    """By its number, and what all can compare: the beginning of its hash."""
    made = RuleSet(TEXTS, number)

    assert made.name == named + made.hash[:12]
