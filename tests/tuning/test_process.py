"""What the process that judges studies is given, and says: reports, suggestions, refusals."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from io import BytesIO
from typing import Any

import orjson
import pytest

from service.rules.rule_set import RuleSet
from service.tuning import process
from service.tuning._causes import Cause
from service.tuning.columns import KINDS, Columns
from service.tuning.judging import Judge, Judging
from service.tuning.page import csv_of, page_of
from service.tuning.process import asked_as_json, labels_as_json, main, written
from service.tuning.report import Asked, make_report
from service.tuning.study import Decided, StudyClaim, write_line
from service.tuning.suggesting import Search
from tests.tuning.building import book_of, edited, known_study, shipped_texts
from tests.tuning.test_suggesting import FEW, LABELS, STUDY, suggested

Json = dict[str, Any]

BY_TIN = ("professional.yaml", "{id: tin, comparison", "{id: tin, full: true, comparison")
RAW = (
    "professional.yaml",
    "require:\n",
    "require:\n  - {id: managed, raw: {term: {attached.case_manager: 'on'}}}\n",
)
PROFESSIONAL = "agrees.1"


def told(head: Mapping[str, Any], claims: Sequence[StudyClaim]) -> list[Json]:
    """All that the process says of a study."""
    given = [orjson.dumps({"member_id_form": "plain", **head}), *map(write_line, claims), b""]
    said = BytesIO()
    main(BytesIO(b"\n".join(given)), said)
    return [orjson.loads(line) for line in said.getvalue().splitlines()]


def asked_of(*edits: tuple[str, str, str], **more: Any) -> Asked:
    """A report of the shipped rules with some edits, on the known study."""
    return Asked(
        study={
            "id": "0" * 16,
            "name": "made <up>",
            "taken_at": "2026-03-31T10:00:00",
            "hashes": {},
        },
        claims=more.pop("claims", known_study()),
        before=RuleSet(shipped_texts(), 7),
        after=RuleSet(edited(*edits)),
        **more,
    )


def test_a_report_is_the_same_from_the_process() -> None:
    """It tells what it is at, then the report byte for byte, and its page."""
    asked = asked_of(BY_TIN, labels=LABELS)
    *doing, last = told(asked_as_json(asked), asked.claims)

    report = make_report(asked)
    assert last["report"].encode() == written(report)
    assert last["page"] == page_of(report)
    assert last["left"] == []
    assert [each["doing"] for each in doing][::5] == ["reading the study", "writing the page"]
    assert last["page"].count("<svg") == 2
    assert "<script" not in last["page"]
    assert "made &lt;up&gt;" in last["page"]


def test_a_suggestion_is_the_same_from_the_process() -> None:
    """With the search that is asked for."""
    head = {
        "search": asdict(FEW),
        "texts": dict(shipped_texts()),
        "labels": labels_as_json(LABELS),
    }
    assert told(head, STUDY)[-1]["suggestion"] == suggested()


def test_what_cannot_be_made_is_said() -> None:
    """Rules that are none, with all that is wrong; too few labels, with what is needed."""
    wrong = asked_of(("professional.yaml", "weight: 24", "weight: heavy"))
    (problem,) = told(asked_as_json(wrong), known_study())[-1]["refused"]
    assert (problem["code"], problem["file"]) == ("T006", "professional.yaml")
    few = {
        "search": asdict(Search(seed=1, parts=2, tries=1)),
        "texts": dict(shipped_texts()),
        "labels": {"hash": "", "right": []},
    }
    assert "0 labelled lines" in told(few, known_study())[-1]["failed"]


def test_lines_that_are_replayed_stand_in_the_report_without_a_cause() -> None:
    """What memory cannot judge is left; what was replayed is not, and a note says each."""
    asked = asked_of(RAW)
    left = make_report(asked)
    judged = Judge(Columns.of(known_study()), book_of()).judge()
    number = next(
        at for at, each in enumerate(known_study()) if each.claim.claim_id == PROFESSIONAL
    )
    place = number * len(KINDS)
    before = judged.verdicts[place]
    after = before._replace(match_class="none", chosen=(), events=("SPA-0009",), waits=True)
    replayed = (
        Judging({place: before}, frozenset()),
        Judging({place: after}, frozenset()),
    )
    whole = replace(asked, replayed=replayed)
    report = orjson.loads(told(asked_as_json(whole), known_study())[-1]["report"])

    assert report["lines"]["replayed"] == 1
    assert report["lines"]["left"] == left["lines"]["left"] - 1
    assert "lines are left out" in left["notes"][0]
    assert [each.split()[1:4] for each in report["notes"]] == [
        ["lines", "were", "replayed"],
        ["lines", "are", "left"],
    ]
    (row,) = [each for each in report["rows"] if each["claim_id"] == PROFESSIONAL]
    assert (row["harm"], row["cause"], row["after"]["percent"]) == ("exact_lost", None, None)
    assert "not tried" in page_of(report)


def test_decisions_that_come_out_otherwise_by_now_are_counted() -> None:
    """Authorizations moved on since; the row of a line says how it was decided."""
    first, second = known_study()[:2]
    chosen = (f"{PROFESSIONAL.replace('.', '-')}-0",)
    as_is = Decided(line=1, kind="authorization", match_class="exact", chosen=chosen)
    other = Decided(line=1, kind="referral", match_class="exact")
    claims = [replace(first, decided=(as_is,)), replace(second, decided=(as_is, other))]
    report = make_report(
        asked_of(("base.yaml", "max_results: 50", "max_results: 1"), claims=claims)
    )

    assert report["drift"] == {"compared": 3, "otherwise": 2}


def test_a_page_of_nothing_that_moves_is_short() -> None:
    """No causes, no rows; other stored fields are a note."""
    fields = edited(("reference/attached.yaml", "fields:", "fields:"))
    report = make_report(replace(asked_of(), after=RuleSet(fields), claims=known_study()[:1]))
    page = page_of(report)

    assert report["rows"] == []
    assert "Lines that move" not in page
    assert list(csv_of(report))[1:] == []


def test_a_cause_that_may_not_be_the_smallest_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """And without what draws charts there are tables alone."""
    report = make_report(asked_of(BY_TIN, labels=LABELS))
    for row in report["rows"]:
        row["is_smallest"] = False
    monkeypatch.setitem(sys.modules, "altair", None)  # as if it were not installed
    page = page_of(report)

    assert "(perhaps not the fewest)" in page
    assert "Charts need authmatch[reports]." in page
    assert "<svg" not in page
    assert Cause((1,)).is_smallest
    assert process.NICENESS > 0
