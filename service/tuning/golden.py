"""The golden set: claim lines of which people said which authorization is right, or that none is.

A label is never changed: a later one of the same person takes its place, and all stay to be read.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

import orjson
from pydantic import Field

from service.domain.answers import MatchClass
from service.domain.claim import AuthorizationKind
from service.domain.misfits import Path
from service.domain.values import Frozen, Identifier, LineNumber, Text
from service.tuning._criteria import criteria_counted
from service.tuning.columns import KINDS, Columns
from service.tuning.judging import Judging
from service.tuning.measures import LabelKey, Labels
from service.tuning.study import StudyClaim

Json = dict[str, Any]
Source = Literal["person", "decision"]


class Label(Frozen):
    """Which authorization is right for a claim line, null where none is; perhaps of which class."""

    claim_id: Identifier
    line: LineNumber
    kind: AuthorizationKind = "authorization"
    authorization: Identifier | None
    match_class: MatchClass | None = Field(default=None, alias="class")
    why: Text | None = None

    @property
    def key(self) -> LabelKey:
        """What it is a label of."""
        return self.claim_id, self.line, self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A label with who gave it and when; ``number`` counts those of a person on one line.

    Its source is a ``person`` who labelled, or an examiner's ``decision`` on a claim.
    """

    label: Label
    by: str
    on_behalf_of: str = ""
    at: str
    source: Source = "person"
    number: int = 1

    @property
    def who(self) -> str:
        """The person: for whom it was given, else who was authenticated."""
        return self.on_behalf_of or self.by

    def as_json(self) -> Json:
        """As it is exported: a label that can be imported again, with who and when."""
        said = self.label.model_dump(mode="json", by_alias=True)
        also = asdict(self)
        del also["label"]
        return said | also


@dataclass(frozen=True, slots=True)
class Line:
    """What stands of a labelled line: the newest label of each person, in order of their names."""

    key: LabelKey
    labels: tuple[Labelled, ...]

    @property
    def is_conflict(self) -> bool:
        """Whether two people name different authorizations, or different classes."""
        said = [each.label for each in self.labels]
        classes = {each.match_class for each in said} - {None}
        return len({each.authorization for each in said}) > 1 or len(classes) > 1


def lines_of(labels: Iterable[Labelled]) -> list[Line]:
    """What stands of each labelled line, in the order of claims, lines and kinds."""
    ordered = sorted(labels, key=lambda each: (each.label.key, each.who, each.number))
    found = []
    for key, of_line in groupby(ordered, key=lambda each: each.label.key):
        newest = {each.who: each for each in of_line}
        found.append(Line(key, tuple(newest.values())))
    return found


def settled(lines: Iterable[Line]) -> Labels:
    """What is right by all who said something of a line; lines in conflict are left out."""
    return labels_of(each.labels[0].label for each in lines if not each.is_conflict)


def labels_of(given: Iterable[Label]) -> Labels:
    """Labels by claim line, with their hash."""
    right = {each.key: each.authorization for each in given}
    content = orjson.dumps(sorted([*key, value] for key, value in right.items()))
    return Labels(hash=hashlib.sha256(content).hexdigest() if right else "", right=right)


def misfits_of(
    labels: Sequence[Label], claims: Mapping[str, StudyClaim]
) -> Iterator[tuple[Path, str]]:
    """What is wrong with labels for claims of a study, each with its place and the way out."""
    seen: dict[LabelKey, int] = {}
    for place, label in enumerate(labels):
        first = seen.setdefault(label.key, place)
        if first != place:
            yield (place,), f"label {first} is for the same line and kind: send one of them"
            continue
        claim = claims.get(label.claim_id)
        if claim is None:
            yield (place, "claim_id"), "the study has no such claim: make a study that has it"
        elif label.line not in {line.line for line in claim.claim.lines}:
            yield (place, "line"), "the claim has no such line"
        elif label.authorization is None:
            if label.match_class not in (None, "none"):
                yield (place, "class"), "without an authorization the class is none"
        elif label.match_class == "none":
            yield (place, "class"), "with an authorization the class is exact or non-exact"
        elif label.authorization not in {each.authorization_id for each in claim.candidates}:
            yield (
                (place, "authorization"),
                "it is none of the authorizations that the study has for the claim:"
                " name one of them, or null where none is right",
            )


def to_label(
    names: Iterable[tuple[str, Sequence[int]]],
    lines: Iterable[Line],
    who: str,
    *,
    second: bool,
    seed: int = 0,
) -> list[tuple[str, int]]:
    """Claim lines of a study that a person has not labelled, in an order that chance draws.

    ``second``: those alone that exactly one other person has labelled.
    """
    known: dict[tuple[str, int], set[str]] = {}
    for each in lines:
        known.setdefault(each.key[:2], set()).update(label.who for label in each.labels)
    waiting = []
    for claim, numbers in names:
        for number in numbers:
            people = known.get((claim, number), set())
            if who not in people and (len(people) == 1 if second else not people):
                waiting.append((claim, number))
    return sorted(waiting, key=lambda name: _drawn(seed, *name))


def shown_blind(claim: StudyClaim, line: int) -> Json:
    """A claim line and all that could cover it, in an order that says nothing of what fits."""
    record = claim.as_record()
    name = claim.claim.claim_id
    candidates = sorted(
        record["candidates"], key=lambda each: _drawn(line, name, each["authorization_id"])
    )
    return {"claim_id": name, "line": line, "claim": record["claim"], "authorizations": candidates}


def _drawn(*parts: object) -> bytes:
    return hashlib.sha256("|".join(map(str, parts)).encode()).digest()


def coverage(columns: Columns, judging: Judging, lines: Iterable[Line]) -> Json:
    """How much of a study is labelled, by template, and by the criteria of what is labelled."""
    known = {each.key: each for each in lines}
    counts: dict[str, Counter[str]] = {}
    standings = []
    for place, verdict in sorted(judging.verdicts.items()):
        asked = columns.lines[place // len(KINDS)]
        found = known.get((asked.pool.claim.claim.claim_id, asked.line.line, verdict.kind))
        of_template = counts.setdefault(verdict.template, Counter())
        of_template["lines"] += 1
        if found is not None:
            right = found.labels[0].label.authorization
            of_template["labelled"] += 1
            of_template["none_is_right"] += right is None and not found.is_conflict
            of_template["by_two"] += len(found.labels) > 1
            of_template["conflicts"] += found.is_conflict
            if verdict.standing is not None:
                standings.append((verdict.template, verdict.standing, 1))
    names = ("lines", "labelled", "none_is_right", "by_two", "conflicts")
    return {
        "templates": [
            {"template": template, **{name: found[name] for name in names}}
            for template, found in sorted(counts.items())
        ],
        "criteria": criteria_counted(standings),
    }
