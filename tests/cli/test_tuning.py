"""`authmatch study`, `golden`, `suggest` and `evaluate`, as they are typed, on a made-up sample."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.builders import QUERIES
from tests.cli.conftest import Authmatch
from tests.ground import Ground

WIDER = ("{before: 7, after: 7, max: 30}", "{before: 14, after: 14, max: 30}")
LABEL = ("claim_id", "line", "kind", "authorization")


@pytest.fixture
def own_live(own: Ground, authmatch: Authmatch, monkeypatch: pytest.MonkeyPatch) -> Authmatch:
    """The command on indices of its own, which are installed."""
    monkeypatch.setenv("AUTHMATCH_ELASTICSEARCH_URL", str(own.settings.elasticsearch_url))
    monkeypatch.setenv("AUTHMATCH_REDIS_URL", str(own.settings.redis_url))
    monkeypatch.setenv("AUTHMATCH_INDEX_PREFIX", own.settings.index_prefix)
    monkeypatch.setenv("AUTHMATCH_DEFAULT_PAYER", "demo")
    installed = authmatch("index", "install")
    assert installed.exit_code == 0, installed.stderr
    return authmatch


def said(command: Authmatch, *words: object, code: int = 0) -> Any:
    """What a command answers as JSON."""
    result = command(*words)
    assert result.exit_code == code, (words, result.stderr, result.exception)
    return json.loads(result.stdout)


def edited(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """A folder of rules in which something is otherwise."""
    folder = Path(shutil.copytree(QUERIES, tmp_path / "queries"))
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


def suggested(command: Authmatch, study: str) -> None:
    """Never worse than what is, and a draft only where it holds."""
    found = command("suggest", study, "--reason", "r", "--tries", "1", "--by", "ann", "--json")
    assert found.exit_code in (0, 1), found.stderr
    answer = json.loads(found.stdout)
    assert answer["suggested"]["right"] >= answer["now"]["right"]
    assert answer["suggested"]["wrong"] <= answer["now"]["wrong"]
    assert (answer["draft"] is None) == (not answer["keys"] or not answer["holds"])
    assert command("suggest", "nowhere", "--reason", "r").exit_code == 2


def evaluated_for_all(command: Authmatch, study: str, folder: Path) -> None:
    """A draft for all payers, with a report on a study of one of them."""
    draft = command("rules", "push", folder, "--reason", "r", "--by", "ann").stdout.split()[-1]
    report = command("evaluate", study, "--draft", draft, "--json")
    assert report.exit_code in (0, 1), report.stderr
    name = report.stderr.split()[1]
    for named, code in ((name, 2), (f"demo:{'0' * 16}", 2), (f"demo:{name}", 0)):
        done = command("rules", "evaluate", draft, "--report", named, "--by", "ann", "--json")
        assert done.exit_code == code, (named, done.stderr)
    assert json.loads(done.stdout)["evaluation"]["report"] == f"demo:{name}"


def test_the_sample_is_labelled_and_a_draft_is_suggested(
    own_live: Authmatch, tmp_path: Path
) -> None:
    """Labels of the sample, read back, covered, in conflict; a suggestion; a draft for all."""
    sample = tmp_path / "sample"
    made = ("sample", "--authorizations", 200)
    assert own_live(*made, "--claims", "--out", sample).exit_code == 0
    assert own_live("load", sample / "authorizations.ndjson").exit_code == 0
    study = said(own_live, "study", "create", "s", sample / "claims.ndjson")["id"]
    labels = tmp_path / "labels.ndjson"
    labels.write_text(own_live(*made, "--labels").stdout, encoding="utf-8")
    count = len(labels.read_text().splitlines())

    assert count >= 50
    for new, known in ((count, 0), (0, count)):
        taken = own_live("golden", "import", study, labels, "--by", "ann")
        assert taken.exit_code == 0, taken.stderr
        assert f"{new} labels, {known} known before, 0 conflicts" in taken.stderr
    exported = own_live("golden", "export").stdout.splitlines()
    assert len(exported) == count
    again = tmp_path / "exported.ndjson"
    one = next(each for each in map(json.loads, exported) if each["authorization"])
    again.write_text(json.dumps({name: one[name] for name in LABEL}))
    assert own_live("golden", "import", study, again, "--by", "kim").exit_code == 0
    assert said(own_live, "golden", "list", "--json")["by_two"] == 1
    covered = said(own_live, "golden", "coverage", study, "--json")
    assert sum(each["labelled"] for each in covered["templates"]) >= count * 0.9
    assert said(own_live, "golden", "next", study, "--by", "ann")["total"] < len(exported)
    place = f"{one['claim_id']}:{one['line']}"
    wrong = own_live("golden", "label", study, place, "nowhere")
    assert (wrong.exit_code, "null where none is right" in wrong.stderr) == (2, True)
    answer = said(own_live, "golden", "label", study, place, "none", "--by", "kim")
    assert answer["lines"][0]["is_conflict"]
    assert said(own_live, "golden", "list", "--conflicts", "--json", code=1)["conflicts"] == 1

    suggested(own_live, study)
    evaluated_for_all(own_live, study, edited(tmp_path, "base.yaml", *WIDER))


def test_a_rebuild_takes_stored_fields_of_a_folder_over(
    own_live: Authmatch, tmp_path: Path
) -> None:
    """As a new set; of a folder that is wrong nothing is taken."""
    folder = edited(tmp_path, "reference/attached.yaml", "fields:", "fields:\n  plan: keyword")
    done = own_live("index", "migrate", "--queries", folder, "--reason", "UM-9")

    assert done.exit_code == 0, done.stderr
    assert "sets of rules that took it over: 2" in done.stderr
    pulled = tmp_path / "pulled"
    assert own_live("rules", "pull", pulled).exit_code == 0
    assert "plan: keyword" in (pulled / "reference" / "attached.yaml").read_text()
    (folder / "dental.yaml").write_text("id: [\n", encoding="utf-8")
    assert own_live("index", "migrate", "--queries", folder).exit_code in (1, 2)
    assert own_live("rules", "status").exit_code == 0
