"""Makes a report, a sweep or a suggestion in a process of its own, beside what is answered.

It reads what to do from stdin (a line of JSON, then the claims of the study, a line each), and
writes lines of JSON to stdout: what it is at, then what it made, or why there is nothing.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import orjson

from service.domain.member_ids import use_member_id_form
from service.domain.misfits import Misfit
from service.querying.problem import TemplatesRefused
from service.requirement.faults import TableFault
from service.rules.rule_set import RuleSet
from service.tuning.columns import Columns
from service.tuning.judging import Judging, Verdict
from service.tuning.measures import Labels
from service.tuning.page import page_of
from service.tuning.report import Asked, Tell, make_report, swept
from service.tuning.study import StudyClaim, read_line
from service.tuning.suggesting import Search, suggestion

NICENESS = 10
"""Live requests go first."""

Json = dict[str, Any]


def main(given: BinaryIO, told: BinaryIO) -> None:
    """Make one report, one sweep, or one suggestion."""

    def tell(**said: object) -> None:
        told.write(orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE))
        told.flush()

    head = orjson.loads(given.readline())
    use_member_id_form(head["member_id_form"])
    tell(doing="reading the study")
    claims = [read_line(line) for line in given if line.strip()]
    try:
        if "search" in head:
            tell(suggestion=_suggested(head, claims, lambda doing: tell(doing=doing)))
        elif "values" in head:
            key = head["file"], head["path"], head["values"]
            tell(swept=swept(Columns.of(claims), head["texts"], *key))
        else:
            report = make_report(asked_in(head, claims), lambda doing: tell(doing=doing))
            content = written(report)
            tell(doing="writing the page")
            tell(report=content.decode(), page=page_of(report), left=report["left"])
    except TemplatesRefused as refused:
        tell(refused=[each.as_dict() for each in refused.problems])
    except (TableFault, Misfit, LookupError) as fault:
        tell(failed=str(fault))


def _suggested(head: Mapping[str, Any], claims: list[StudyClaim], tell: Tell) -> Json:
    search = Search(**head["search"])
    return suggestion(Columns.of(claims), head["texts"], _labels(head["labels"]), search, tell)


def written(report: Mapping[str, Any]) -> bytes:
    """A report as bytes: of the same inputs always the same."""
    return orjson.dumps(report, option=orjson.OPT_SORT_KEYS)


def asked_in(head: Mapping[str, Any], claims: list[StudyClaim]) -> Asked:
    """What is asked for in plain JSON, with the claims."""
    replayed = head.get("replayed")
    return Asked(
        study=head["study"],
        claims=claims,
        before=RuleSet(head["before"]["texts"], head["before"]["number"]),
        after=RuleSet(head["after"]["texts"], head["after"]["number"]),
        labels=_labels(head["labels"]),
        minutes=head["minutes"],
        replayed=replayed and (_judging(replayed[0]), _judging(replayed[1])),
    )


def asked_as_json(asked: Asked) -> Json:
    """The same as plain JSON, without the claims."""
    return {
        "study": dict(asked.study),
        "before": {"texts": dict(asked.before.texts), "number": asked.before.number},
        "after": {"texts": dict(asked.after.texts), "number": asked.after.number},
        "labels": labels_as_json(asked.labels),
        "minutes": asked.minutes,
        "replayed": asked.replayed and [_plain(each.verdicts.items()) for each in asked.replayed],
    }


def labels_as_json(labels: Labels) -> Json:
    """Labels as plain JSON."""
    return {
        "hash": labels.hash,
        "right": [[*key, right] for key, right in labels.right.items()],
    }


def _labels(plain: Mapping[str, Any]) -> Labels:
    right = {(claim, line, kind): right for claim, line, kind, right in plain["right"]}
    return Labels(hash=plain["hash"], right=right)


def _plain(verdicts: Iterable[tuple[int, Verdict]]) -> list[list[Any]]:
    return [[place, *verdict[:8]] for place, verdict in verdicts]


def _judging(plain: list[list[Any]]) -> Judging:
    found = {
        place: Verdict(
            kind=kind,
            is_required=is_required,
            template=template,
            match_class=match_class,
            truncated=truncated,
            chosen=tuple(chosen),
            events=tuple(events[0]),
            waits=events[1],
        )
        for place, kind, is_required, template, match_class, truncated, chosen, *events in plain
    }
    return Judging(found, frozenset())


if __name__ == "__main__":  # pragma: no cover - it is the same in a process of its own
    os.nice(NICENESS)
    main(sys.stdin.buffer, sys.stdout.buffer)
