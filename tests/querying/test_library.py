"""Templates as a set of files: which can be run, and what tells one content from another."""

from service.domain.template import Relax
from service.querying.library import load_library, template_schema
from service.querying.problem import Problem, TemplatesRefused
from tests.builders import references, shipped, template_texts


def hashes(**changes: str) -> dict[str, str]:
    """Give the hash of every template with something replaced in a file."""
    texts = dict(template_texts())
    for file, change in changes.items():
        before, after = change.split(" -> ")
        assert before in texts[f"{file}.yaml"]
        texts[f"{file}.yaml"] = texts[f"{file}.yaml"].replace(before, after)
    library = load_library(texts, references())
    return {name: plan.hash for name, plan in library.plans.items()}


def test_a_hash_tells_contents_apart() -> None:
    """The same files give the same hash, another weight another one, of that template only."""
    usual, other = hashes(), hashes(dental="weight: 22 -> weight: 21")

    assert usual == hashes()
    assert {"dental"} == {name for name in usual if usual[name] != other[name]}


def test_a_change_of_the_base_changes_all() -> None:
    """The hash is of the resolved template, so that a change of a parent shows."""
    usual, other = hashes(), hashes(base="min_results: 1 -> min_results: 2")

    assert usual.keys() == {name for name in usual if usual[name] != other[name]}


def test_comments_and_layout_do_not_change_a_hash() -> None:
    """Only what is said counts."""
    assert hashes() == hashes(dental="title: Dental -> title:   Dental")


def test_one_bad_file_leaves_the_others() -> None:
    """A text that cannot be read, and a parent that is not there, are problems of their own."""
    texts = {
        **template_texts(),
        "bad.yaml": "[",
        "orphan.yaml": "id: orphan\nextends: nobody\n",
    }
    library = load_library(texts, references())

    assert [(each.code, each.file) for each in library.problems] == [
        ("T001", "bad.yaml"),
        ("T002", "orphan.yaml"),
    ]
    assert shipped().plans.keys() == library.plans.keys()


def test_the_schema_names_the_keys_as_they_are_written() -> None:
    """For editors: the aliases, not the names inside."""
    schema = template_schema()

    assert {"criteria", "require", "auto_resolve"} <= set(schema["properties"])
    assert "class" in schema["$defs"]["Expectation"]["properties"]


def test_refused_templates_say_all_that_is_wrong() -> None:
    """One line for each problem."""
    problems = tuple(Problem(code="T001", path=path, message="bad") for path in ("/a", "/b"))
    refused = TemplatesRefused(problems)

    assert problems == refused.problems
    assert str(refused) == "T001 /a: bad\nT001 /b: bad"


def test_relax_steps_widen_and_drop_together() -> None:
    """The steps so far hold at once: the last number of days, all that was dropped."""
    template = shipped().plans["professional"].template
    steps = (
        Relax(id="wider", match_days=14),
        Relax(id="any-setting", drop=("setting",)),
        Relax(id="widest", match_days=30),
    )
    relaxed = [template.relaxed(steps[:count]) for count in range(4)]

    assert [each.settings.match_days.before for each in relaxed] == [7, 14, 14, 30]
    assert [each.settings.match_days.after for each in relaxed] == [7, 14, 14, 30]
    assert ["setting" in [test.id for test in each.require] for each in relaxed] == [
        True,
        True,
        False,
        False,
    ]
