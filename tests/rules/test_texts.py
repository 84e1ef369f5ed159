"""A set of texts makes a book, or all that is wrong with it, each with its file."""

import shutil
from pathlib import Path

import pytest

from service.querying.problem import TemplatesRefused
from service.rules.texts import (
    CHARACTERS_MAX,
    fixtures_of,
    load_rules,
    load_texts,
    read_folder,
)
from service.settings import Settings
from tests.builders import QUERIES

TEXTS = read_folder(QUERIES)
EVENTS = "reference/event-codes.yaml"
TYPE_TABLE = "tables/requested-auth-type.json"


@pytest.mark.parametrize(
    ("changed", "code", "file", "words"),
    [
        ({"reference/units.yaml": "id: [\n"}, "T014", "reference/units.yaml", "not YAML"),
        ({"reference/new.yaml": "kind: gruops\n"}, "T014", "reference/new.yaml", "gruops"),
        ({"reference/new.yaml": "kind: groups\n"}, "T014", "reference/new.yaml", "Field required"),
        ({EVENTS: None}, "T014", EVENTS, "it is needed"),
        (
            {EVENTS: TEXTS[EVENTS].replace('carc: "197"', 'carc: "15"')},
            "T014",
            EVENTS,
            "15 is deactivated",
        ),
        (
            {
                "reference/specialised.yaml": TEXTS["reference/specialised.yaml"].replace(
                    "group: knee-lubricants", "group: knee-oils"
                )
            },
            "T014",
            "reference/specialised.yaml",
            "knee-oils",
        ),
        ({TYPE_TABLE: "{}"}, "T014", TYPE_TABLE, ""),
        ({"dental.yaml": "#" * 300_000}, "T001", "dental.yaml", "longer than"),
        (
            {f"reference/r{n}.yaml": "#" * (CHARACTERS_MAX // 9) for n in range(10)},
            "T001",
            "",
            "the set is too large",
        ),
    ],
)
def test_what_is_wrong_has_its_file(
    changed: dict[str, str | None], code: str, file: str, words: str
) -> None:
    """And there is no book."""
    mixed = {**TEXTS, **changed}
    loaded = load_texts({name: text for name, text in mixed.items() if text is not None})

    assert [e for e in loaded.problems if (e.code, e.file) == (code, file) and words in e.message]
    with pytest.raises(TemplatesRefused):
        loaded.book  # noqa: B018 - it raises


def test_a_folder_is_read_as_text(tmp_path: Path) -> None:
    """A file of other bytes is refused by its name."""
    folder = Path(shutil.copytree(QUERIES, tmp_path / "queries"))
    settings = Settings(queries_dir=folder)
    assert load_rules(settings).plans.keys() == load_texts(TEXTS).book.plans.keys()
    assert "prof_tin_only" in fixtures_of(read_folder(folder))
    (folder / "dental.yaml").write_bytes(b"id: d\xff\n")
    with pytest.raises(TemplatesRefused) as refused:
        load_rules(settings)
    (problem,) = refused.value.problems
    assert (problem.file, problem.message) == ("dental.yaml", "not UTF-8 text")


def test_a_book_makes_the_events_of_a_template_once() -> None:
    """For each type of claim."""
    book = load_texts(TEXTS).book
    plan = book.plan("professional")

    assert book.events(plan, "professional") is book.events(plan, "professional")
    assert book.events(plan, "institutional") is not book.events(plan, "professional")
