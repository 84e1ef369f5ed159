"""The tests that templates carry, and what they say when they are red."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from service.application._template_tests import Fixture, read_fixture, run_tests
from service.domain.template import TemplateTest
from service.querying.problem import Problem
from service.rules.texts import load_texts, read_folder

QUERIES = Path(__file__).parents[2] / "queries"
FIXTURE = (QUERIES / "fixtures" / "prof_tin_only.yaml").read_text(encoding="utf-8")


def outcome(fixture: Fixture | Problem | None, **test: object) -> list[str]:
    """Run one test of the professional template; gives its problems in one line each."""
    loaded = load_texts(read_folder(QUERIES))
    given = {"name": "T", "fixture": "fx", "expect": {"class": "non-exact"}} | test
    tests = {"professional": (TemplateTest.model_validate(given),)}
    plans = {
        name: replace(
            plan, template=plan.template.model_copy(update={"tests": tests.get(name, ())})
        )
        for name, plan in loaded.book.plans.items()
    }
    rules = replace(loaded.book, plans=plans)
    fixtures = {} if fixture is None else {"fx": fixture}
    count, problems = asyncio.run(run_tests(rules, loaded.library.resolved, fixtures))
    assert count == 1
    return [f"{each.code} {each.path} {each.message}" for each in problems]


@pytest.mark.parametrize(
    ("line", "expect", "said"),
    [
        (1, {"class": "non-exact", "authorization": "AU11"}, ""),
        (1, {"class": "non-exact", "authorization": "AU-00011"}, ""),
        (3, {"class": "none"}, ""),
        (
            1,
            {"class": "exact"},
            "T017 /tests/0 T: expected exact, came out non-exact with AU11 at",
        ),
        (1, {"class": "non-exact", "authorization": "AU12"}, "T017 /tests/0 T: expected AU12"),
        (3, {"class": "exact"}, "T017 /tests/0 T: expected exact, came out none, nothing found"),
        (9, {"class": "exact"}, "T017 /tests/0 T: the claim of fx has no line 9"),
    ],
)
def test_a_test_says_what_came_out_otherwise(line: int, expect: object, said: str) -> None:
    """Green says nothing; red says what was expected and what came."""
    fixture = read_fixture(FIXTURE, "fx.yaml")

    found = outcome(fixture, line=line, expect=expect)

    assert bool(found) == bool(said)
    assert all(each.startswith(said) for each in found)


def test_a_line_of_another_template_is_said_to_be_so() -> None:
    """A test that never reaches its template would prove nothing."""
    other = (QUERIES / "fixtures" / "dent_tooth_beside.yaml").read_text(encoding="utf-8")

    (found,) = outcome(read_fixture(other, "fx.yaml"))

    assert found.endswith("T: line 1 of fx comes to dental, not to professional")


def test_a_fixture_that_is_missing_is_a_problem() -> None:
    """The test names a file that is not there."""
    assert outcome(None) == ["T018 /tests/0 there is no fixture fixtures/fx.yaml"]


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("claim: {", "", "not YAML"),
        ("authorizations: []", "/claim", "Field required"),
        (FIXTURE.replace("version: 1", "version: one"), "/authorizations/0/version", "integer"),
    ],
)
def test_a_fixture_that_cannot_be_read_is_a_problem_of_its_file(
    text: str, path: str, said: str
) -> None:
    """The file and the place in it are named, once."""
    fixture = read_fixture(text, "fixtures/fx.yaml")

    assert isinstance(fixture, Problem)
    assert (fixture.code, fixture.path, fixture.file) == ("T018", path, "fixtures/fx.yaml")
    assert said in fixture.message
    assert len(outcome(fixture)) == 1
