"""`authmatch rules`: problems with their place, live checks, what is asked of Elasticsearch."""

import json
import shutil
import sys
import uuid
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from service.querying.search import Search
from service.stores.authorizations.search import search_body
from tests.cli.conftest import EXAMPLES, Authmatch
from tests.ground import Ground

ROOT = Path(__file__).parents[2]


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """A copy of the shipped queries, to break."""
    return Path(shutil.copytree(ROOT / "queries", tmp_path / "queries"))


def change(file: Path, old: str, new: str) -> None:
    """Replace a text that stands in a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_shipped_files_are_clean_offline(authmatch: Authmatch) -> None:
    """Files and tests, without an engine; what was done is said on stderr."""
    result = authmatch("rules", "check", "--offline")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "files: 5 templates" in result.stderr
    assert "red: 0" in result.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("professional.yaml", "title:", "title:", ""),
        ("professional.yaml", "weight: 24", "weight: 31", "T006 /criteria/1/levels/1/weight"),
        ("professional.yaml", "line: 3, expect: {class: none}", "expect: {class: none}", "T017 /t"),
        ("professional.yaml", "fixture: prof_older_first", "fixture: nowhere", "T018 /tests/4"),
        ("reference/place-classes.yaml", "kind: groups", "kind: gruops", "T014"),
        (
            "reference/specialised.yaml",
            "SPA-0047",
            "SPA-0099",
            "rows/guidance-with-injection/event",
        ),
        ("reference/specialised.yaml", "group: knee-lubricants", "group: knee-oils", "knee-oils"),
        ("reference/event-codes.yaml", 'carc: "197"', 'carc: "15"', "15 is deactivated"),
        (
            "reference/event-codes.yaml",
            "any: AUM-0009",
            "any: AUM-0099",
            "codes/non_daily_span/any",
        ),
        ("tables/requested-auth-type.json", r'"rat-out-1": "\"pro', r'"rat-out-1": "\"po', "T014"),
        ("fixtures/prof_tin_only.yaml", "kind: authorization", "kind: wish", "T018 /author"),
    ],
)
def test_a_problem_is_one_line_with_its_place(
    authmatch: Authmatch, queries: Path, file: str, old: str, new: str, said: str
) -> None:
    """File, line where it is known, code, path, reason."""
    change(queries / file, old, new)

    result = authmatch("rules", "check", queries, "--offline")

    assert result.exit_code == (1 if said else 0)
    assert said in result.stdout


def test_programs_get_problems_as_json(authmatch: Authmatch, queries: Path) -> None:
    """Code, path, line, message and hint, each by its name."""
    change(
        queries / "dental.yaml",
        "authorization: tooth, weight: 16",
        "authorization: toth, weight: 16",
    )

    result = authmatch("rules", "check", queries, "--offline", "--json")

    (problem,) = json.loads(result.stdout)["problems"]
    assert result.exit_code == 1
    assert (problem["code"], problem["file"]) == ("T003", "dental.yaml")
    assert problem["path"] == "/criteria/2/levels/0/authorization"
    assert problem["line"] > 1
    assert problem["hint"] == "closest: tooth"


def test_a_folder_without_templates_is_a_problem(authmatch: Authmatch, tmp_path: Path) -> None:
    """A path that is mistyped must not pass as clean; one that is not there is bad input."""
    assert authmatch("rules", "check", tmp_path, "--offline").exit_code == 1
    assert authmatch("rules", "check", tmp_path / "nowhere").exit_code == 2


def test_live_checks_compare_with_the_index(live: Authmatch) -> None:
    """Fields, compiled searches, and scores of sample claims on both paths."""
    data = live("sample", "--authorizations", 400).stdout
    assert live("load", "-", stdin=data).exit_code == 0

    result = live("rules", "check")

    assert (result.exit_code, result.stdout) == (0, ""), result.stdout
    assert "compiled searches validated: 50" in result.stderr
    compared = result.stderr.partition("both paths to a score compared: ")[2]
    assert int(compared.split()[2]) > 20


def test_without_made_up_claims_live_checks_are_the_fields_alone(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the image of the service; what is left out is told."""
    monkeypatch.setitem(sys.modules, "authmatch_local.samples", None)

    result = live("rules", "check")

    assert result.exit_code == 0
    assert "compiled searches: left out, sample claims come with authmatch[local]" in result.stderr


def test_a_field_that_the_index_does_not_have_is_a_problem(live: Authmatch, queries: Path) -> None:
    """An unmapped field matches nothing, silently: here it is said aloud."""
    change(queries / "reference" / "attached.yaml", "fields:", "fields:\n  never_seen: keyword")

    result = live("rules", "check", queries)

    assert result.exit_code == 1
    assert "T003 /attached.never_seen" in result.stdout
    assert "authmatch index migrate" in result.stdout


def test_elasticsearch_says_why_it_would_refuse_a_search(ground: Ground) -> None:
    """A query that is valid has no reason; another one has one, and nothing is raised."""
    broken = Search(filter=({"no_such_query": {}},))

    said = ground.run(lambda stores: stores.search.refusal("p", "m", broken))
    nothing = ground.run(lambda stores: stores.search.refusal("p", "m", Search()))

    assert said is not None
    assert "no_such_query" in said
    assert nothing is None


def test_an_engine_that_is_down_does_not_hide_what_was_found(
    live: Authmatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offline part is told first, then the fault."""
    monkeypatch.setenv("AUTHMATCH_ELASTICSEARCH_URL", "http://127.0.0.1:1")

    result = live("rules", "check")

    assert result.exit_code == 3
    assert "template tests" in result.stderr
    assert "error: elasticsearch: " in result.stderr


def test_show_writes_what_extends_gave(authmatch: Authmatch) -> None:
    """The output is a template itself, the parent's part included."""
    shown = YAML(typ="safe").load(authmatch("rules", "show", "dental").stdout)

    assert shown["id"] == "dental"
    assert [each["id"] for each in shown["require"]] == ["kind", "window", "setting"]


def test_show_writes_what_is_asked_of_elasticsearch(authmatch: Authmatch) -> None:
    """Whole bodies, as they are sent, for a claim line."""
    claim = EXAMPLES / "claim-professional.json"

    result = authmatch("rules", "show", "professional", "--claim", claim, "--line", 2)

    shown = json.loads(result.stdout)
    filters = shown["scored_search"]["query"]["bool"]["filter"]
    assert {"term": {"member_id": "M0001"}} in filters
    assert shown["candidate_search"]["size"] == 200
    assert search_body("p", ["m"], Search()).keys() <= shown["candidate_search"].keys()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("profesional",), "there is no template profesional: dental, "),
        (("dental", "--claim", EXAMPLES / "claim-dental.json", "--line", 7), "no line 7"),
    ],
)
def test_show_says_what_it_does_not_know(
    authmatch: Authmatch, words: tuple[object, ...], said: str
) -> None:
    """With the names that there are."""
    result = authmatch("rules", "show", *words)

    assert result.exit_code == 2
    assert said in result.stderr


def test_schema_is_json_schema(authmatch: Authmatch) -> None:
    """For editors that complete templates."""
    schema = json.loads(authmatch("rules", "schema").stdout)

    assert schema["title"] == "authmatch query template"
    assert "criteria" in schema["properties"]


def test_a_change_is_pushed_approved_published_and_undone(live: Authmatch, queries: Path) -> None:
    """By people of one payer; each step says what came of it."""
    whose = ("--payer", f"p-{uuid.uuid4().hex[:8]}")
    assert live("index", "install").exit_code == 0
    assert live("rules", "pull", queries, *whose).exit_code == 0
    assert "nothing differs" in live("rules", "push", queries, "--reason", "r", *whose).stderr
    text = (queries / "professional.yaml").read_text(encoding="utf-8")
    changed = text.replace("weight: 24", "weight: 21")
    (queries / "professional.yaml").write_text(changed, encoding="utf-8")
    told = live("rules", "diff", "1", queries, *whose)
    assert told.stdout == "professional: procedure, group, weight 24 -> 21\n"

    names = ("ann", "kim", "lee")
    who = {name: ["--by", name, "--reason", "UM-412", *whose] for name in names}
    who["lee"] += ["--despite-gates", "no claims are kept yet"]
    draft = live("rules", "push", queries, *who["ann"]).stdout.strip()
    assert "nothing is wrong" in live("rules", "check", draft, *whose).stdout
    for step, name, code in (
        ("submit", "ann", 2), ("evaluate", "ann", 0), ("submit", "ann", 0), ("approve", "ann", 2),
        ("publish", "kim", 2), ("approve", "kim", 0), ("publish", "kim", 2), ("publish", "lee", 0),
        ("publish", "lee", 2),
    ):  # fmt: skip
        done = live("rules", step, draft, *who[name])
        assert done.exit_code == code, (step, name, done.stderr)
    undone = live("rules", "rollback", *who["kim"])
    assert "is active" in undone.stdout
    assert "rollback" in live("rules", "history", *whose).stdout
    assert live("rules", "status", "--json", *whose).exit_code == 0
