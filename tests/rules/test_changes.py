"""Two sets of rules are compared key by key, and any of the changes can be made alone."""

import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rules.changes import ABSENT, Change, changes, content_of, mixed
from service.rules.texts import load_texts, read_folder
from tests.builders import QUERIES

TEXTS = read_folder(QUERIES)
PROFESSIONAL = "professional.yaml"


def edited(*edits: tuple[str, str, str]) -> dict[str, str]:
    """The shipped texts with some of them changed."""
    texts = dict(TEXTS)
    for file, old, new in edits:
        assert texts[file].count(old), (file, old)
        texts[file] = texts[file].replace(old, new, 1)
    return texts


@pytest.mark.parametrize(
    ("edit", "path", "words"),
    [
        (
            ("base.yaml", "before: 7", "before: 5"),
            ("settings", "match_days", "before"),
            "base: match days, before 7 -> 5",
        ),
        (
            ("base.yaml", "min: 60", "min: 55"),
            ("non_exact", "min"),
            "base: non exact, min 60 -> 55",
        ),
        (
            (PROFESSIONAL, "weight: 24", "weight: 21"),
            ("criteria", "procedure", "levels", "group", "weight"),
            "professional: procedure, group, weight 24 -> 21",
        ),
        (
            ("reference/procedure-groups.yaml", '"97010..97039", ', ""),
            ("groups", "therapy", "members", "97010..97039"),
            "procedure-groups: therapy, members, 97010..97039 removed",
        ),
        (
            ("reference/procedure-groups.yaml", '"G0283"]', '"G0283", "97799"]'),
            ("groups", "therapy", "members", "97799"),
            "procedure-groups: therapy, members, 97799 added",
        ),
        (
            ("reference/accounting.yaml", "when_short: cutback", "when_short: refuse"),
            ("when_short",),
            "accounting: when short cutback -> refuse",
        ),
        (
            (
                "reference/attached.yaml",
                "  pilot: boolean\n",
                "  pilot: boolean\n  plan: keyword\n",
            ),
            ("fields", "plan"),
            "attached: fields, plan keyword added",
        ),
        (
            ("reference/levels-of-care.yaml", '"0167"', '"0168"'),
            None,
            "levels-of-care: self-care, members, 0167 removed",
        ),
    ],
)
def test_a_change_has_its_key_and_its_words(
    edit: tuple[str, str, str], path: tuple[str, ...] | None, words: str
) -> None:
    """Of a template, a reference table, a policy: in the words of the file."""
    found = changes(TEXTS, edited(edit))

    assert found[0].file == edit[0]
    assert found[0].words == words
    assert path is None or [each.path for each in found] == [path]


@pytest.mark.parametrize(
    "edit",
    [
        ("base.yaml", "settings:\n", "# seen by nobody\nsettings:\n"),
        (
            PROFESSIONAL,
            "kind: QueryTemplate\nid: professional",
            "id: professional\nkind: QueryTemplate",
        ),
        ("reference/accounting.yaml", "week_starts_on: sunday", "week_starts_on:   'sunday'"),
    ],
    ids=["a comment", "keys in another order", "written otherwise"],
)
def test_what_says_the_same_is_no_change(edit: tuple[str, str, str]) -> None:
    """Texts differ, contents do not."""
    texts = edited(edit)

    assert texts != TEXTS
    assert changes(TEXTS, texts) == ()


TABLE = '{"kind": "groups", "groups": {"low": {"members": []}, "high": {"members": []}}}'


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        (
            "reference/care.yaml",
            TABLE,
            '{"kind": "groups", "groups": {"high": {"members": []}, "low": {"members": []}}}',
            [(("groups",), True, "care: groups: another order")],
        ),
        (
            "a.yaml",
            "levels: [{id: x, weight: 2}, {id: y, weight: 1}]",
            "levels: [{id: y, weight: 1}, {id: x, weight: 2}]",
            [(("levels",), True, "a: levels: another order")],
        ),
        (
            "tables/t.json",
            '{"rules": [{"_id": "r1", "x": "1"}]}',
            '{"rules": [{"_id": "r0", "x": "0"}, {"_id": "r1", "x": "1"}]}',
            [(("rules", "r0"), False, 't: r0 {"_id":"r0","x":"0"} added')],
        ),
        (
            "a.yaml",
            "rank: [x, y]",
            "rank: [y, x]",
            [(("rank",), False, 'a: rank ["x","y"] -> ["y","x"]')],
        ),
        ("a.yaml", "a: 1", "a: true", [(("a",), False, "a: a 1 -> true")]),
        ("a.yaml", "a: 1", "a: 1.0", [(("a",), False, "a: a 1 -> 1.0")]),
        (
            "a.yaml",
            "a: null",
            "b: 1",
            [(("a",), False, "a: a null removed"), (("b",), False, "a: b 1 added")],
        ),
        ("a.yaml", "a: [{x: 1, y: 2}]", "a: [{y: 2, x: 1}]", []),
        (
            "a.yaml",
            "a: [{id: x}, {id: z}]",
            "a: [{id: y}, {id: x}, {id: w}]",
            [
                (("a", "z"), False, 'a: a, z {"id":"z"} removed'),
                (("a", "y"), False, 'a: a, y {"id":"y"} added'),
                (("a", "w"), False, 'a: a, w {"id":"w"} added'),
            ],
        ),
        (
            "a.yaml",
            "a: [{id: x}, {id: x}]",
            "a: []",
            [(("a",), False, 'a: a [{"id":"x"},{"id":"x"}] -> []')],
        ),
        (
            "reference/a.yaml",
            "a: [{id: x}, {id: y}]",
            "a: [x]",
            [(("a",), False, 'a: a [{"id":"x"},{"id":"y"}] -> ["x"]')],
        ),
        ("a.yaml", "a: [", "a: 1", [((), False, "a: the file differs, and cannot be read")]),
        ("t.json", "{", '{"a": 1}', [((), False, "t: the file differs, and cannot be read")]),
        ("a.yaml", None, "a: 1", [((), False, "a: the file added")]),
        ("a.yaml", "a: 1", None, [((), False, "a: the file removed")]),
    ],
)
def test_kinds_of_changes(
    file: str, before: str | None, after: str | None, told: list[tuple[tuple[str, ...], bool, str]]
) -> None:
    """Orders that mean something, entries by their ids, files that come, go or cannot be read."""
    old, new = ({file: each} if each is not None else {} for each in (before, after))
    found = changes(old, new)

    assert [(each.path, each.is_order, each.words) for each in found] == told
    assert mixed(old, new, found) == new
    assert mixed(old, new, ()) == (old if found else new)


def test_a_long_value_is_cut_in_words() -> None:
    """Words are for a line of a report."""
    (found,) = changes({"a.yaml": "a: x"}, {"a.yaml": f"a: {'y' * 500}"})

    assert len(found.words) < 80
    assert found.after == "y" * 500
    assert repr(ABSENT) == "ABSENT"


def test_some_of_the_changes_are_made_and_others_not() -> None:
    """One weight of two, and a group without the code that was taken off another."""
    edits = [
        (PROFESSIONAL, "weight: 24", "weight: 21"),
        (PROFESSIONAL, "version: 1\n", "version: 2\n"),
        ("reference/procedure-groups.yaml", '"97010..97039", ', ""),
    ]
    new = edited(*edits)
    all_of_it = changes(TEXTS, new)
    chosen = [each for each in all_of_it if each.path[-1] == "weight"]
    texts = mixed(TEXTS, new, chosen)

    assert changes(TEXTS, texts) == tuple(chosen)
    assert {name for name in texts if texts[name] != TEXTS[name]} == {PROFESSIONAL}
    assert load_texts(texts).problems == ()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), inner, max_size=4),
        st.lists(inner, max_size=3),
        st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True, max_size=4),
        st.permutations("abc").flatmap(
            lambda names: st.lists(inner, min_size=3, max_size=3).map(
                lambda held: [
                    {"id": name, "held": each} for name, each in zip(names, held, strict=True)
                ]
            )
        ),
    ),
    max_leaves=12,
)
FILES = st.fixed_dictionaries(
    {},
    optional={
        name: st.dictionaries(st.sampled_from(["groups", "a"]), VALUES, max_size=2).map(
            lambda value: orjson.dumps(value).decode()
        )
        for name in ("a.yaml", "reference/b.yaml", "tables/c.json")
    },
)


@settings(max_examples=60)
@given(old=FILES, new=FILES, chance=st.randoms(use_true_random=False))
def test_all_changes_lead_to_the_other_set_and_some_to_between(
    old: dict[str, str], new: dict[str, str], chance: random.Random
) -> None:
    """All of them give the other; of some, it differs by these, and from the other by the rest."""
    found = changes(old, new)
    assert len({each.key for each in found}) == len(found)
    assert contents(mixed(old, new, found)) == contents(new)
    assert contents(mixed(old, new, ())) == contents(old)

    some = [each for each in found if chance.random() < 0.5]
    between = mixed(old, new, some)
    rest = [each for each in found if each not in some]
    assert without_order(changes(old, between)) == without_order(some)
    assert without_order(changes(between, new)) == without_order(rest)


def contents(texts: dict[str, str]) -> bytes:
    """What all files say."""
    return orjson.dumps(
        {file: content_of(file, text) for file, text in sorted(texts.items())},
        option=orjson.OPT_SORT_KEYS,
    )


def without_order(found: Any) -> list[tuple[str, tuple[str, ...]]]:
    """The keys of changes of values; orders depend on what else is there."""
    made: list[Change] = list(found)
    return sorted((each.file, each.path) for each in made if not each.is_order)


def test_a_key_that_is_added_stands_behind_its_neighbour() -> None:
    """Where another change of the file is left out."""
    old = {"a.yaml": "a: 1\nb: 2\n"}
    new = {"a.yaml": "z: 0\na: 1\nc: 3\nb: 4\n"}
    every = changes(old, new)
    added = [each for each in every if each.before is ABSENT]
    text = mixed(old, new, added)["a.yaml"]

    assert [each.path for each in added] == [("z",), ("c",)]
    assert list(orjson.loads(text).items()) == [("z", 0), ("a", 1), ("c", 3), ("b", 2)]
