"""The report of a draft: which claim lines move by it, how, and why.

It is plain JSON, made of its inputs alone: of the same study, rules and labels it is the same byte
for byte.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from service.rules.book import RuleBook
from service.rules.changes import Change, changes, mixed
from service.rules.rule_set import RuleSet
from service.rules.texts import load_texts
from service.tuning._causes import Cause, Changes, Moved, Trying, outcome_of
from service.tuning._criteria import Standing, criteria_counted, warnings_of
from service.tuning._harm import CLASSES, HARMFUL, HARMS, Harm, class_of, harm_of
from service.tuning.columns import KINDS, Columns
from service.tuning.gates import judge_gates
from service.tuning.judging import Judge, Judging, Verdict
from service.tuning.measures import (
    Labels,
    automatic_share,
    key_of,
    point,
    threshold_sweep,
    with_key,
)
from service.tuning.study import StudyClaim

Json = dict[str, Any]
Tell = Callable[[str], object]

ROWS_MAX = 10_000
"""So many lines that move are listed, the worst first; all are counted."""

MINUTES = 6
"""What an examiner needs for a line, where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is made of.

    ``study`` says what the claims are, with their hashes; ``minutes`` what an examiner needs for a
    line. ``replayed`` are lines that only the engine can judge, by each of both sets.
    """

    study: Mapping[str, Any]
    claims: Sequence[StudyClaim]
    before: RuleSet
    after: RuleSet
    labels: Labels = field(default_factory=Labels)
    minutes: int = MINUTES
    replayed: tuple[Judging, Judging] | None = None


def make_report(asked: Asked, tell: Tell = lambda _: None) -> Json:
    """Judge a study by both sets, and say what moves; raises TemplatesRefused, TableFault."""
    before, after = (load_texts(each.texts).book for each in (asked.before, asked.after))
    columns = Columns.of(asked.claims)
    tell("judging by the rules in force")
    one = Judge(columns, before).judge()
    tell("judging by the draft")
    other = Judge(columns, after).judge()
    comparison = Comparison(asked, columns, *_replayed(asked, one, other))
    tell("looking for causes")
    causes = comparison.causes()
    tell("sweeping thresholds")
    report = comparison.report(causes)
    return {
        **report,
        "gates": judge_gates(report, before.references.gates),
        "sweep": threshold_sweep(columns, after, asked.labels, asked.minutes),
        "warnings": warnings_of(after.plans, _standings(comparison.after)),
        "notes": list(_notes(before, after, comparison)),
    }


def _replayed(asked: Asked, one: Judging, other: Judging) -> tuple[Judging, Judging]:
    """Both judgings, with what was replayed in the place of what either could not judge."""
    left = one.left | other.left
    if asked.replayed is None:
        return _without(one, left), _without(other, left)
    first, second = asked.replayed
    left -= {place // len(KINDS) for each in asked.replayed for place in each.verdicts}
    return _without(one, left, first), _without(other, left, second)


def _without(judging: Judging, left: frozenset[int], replayed: Judging | None = None) -> Judging:
    own = {} if replayed is None else replayed.verdicts
    again = {place // len(KINDS) for place in own}
    kept = {
        place: verdict
        for place, verdict in judging.verdicts.items()
        if place // len(KINDS) not in left and place // len(KINDS) not in again
    }
    return Judging(kept | dict(own), left)


@dataclass(frozen=True)
class Comparison:
    """A study judged by two sets of rules."""

    asked: Asked
    columns: Columns
    before: Judging
    after: Judging

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The keys that differ."""
        return changes(self.asked.before.texts, self.asked.after.texts)

    @cached_property
    def places(self) -> list[int]:
        """All questions that either set asks, in the order of the study."""
        return sorted({*self.before.verdicts, *self.after.verdicts})

    @cached_property
    def moved(self) -> list[tuple[Harm, int]]:
        """The questions that come out otherwise, with what became of them."""
        before, after = self.before.verdicts, self.after.verdicts
        found = ((harm_of(before.get(each), after.get(each)), each) for each in self.places)
        return [(harm, place) for harm, place in found if harm is not None]

    def both(self, place: int) -> tuple[Verdict | None, Verdict | None]:
        """How a question came out, and comes out by the draft."""
        return self.before.verdicts.get(place), self.after.verdicts.get(place)

    def causes(self) -> dict[int, Cause]:
        """The cause of each question that moved, by trying; none of one that was replayed."""
        is_replayed = set()
        if self.asked.replayed is not None:
            is_replayed = {place for each in self.asked.replayed for place in each.verdicts}
        trying = Trying(self.columns, len(self.changes), self._mix)
        return trying.causes(
            [self._moved(place) for _, place in self.moved if place not in is_replayed]
        )

    def _mix(self, some: Changes) -> RuleBook:
        chosen = [self.changes[each] for each in sorted(some)]
        return load_texts(mixed(self.asked.before.texts, self.asked.after.texts, chosen)).book

    def _moved(self, place: int) -> Moved:
        before, after = self.both(place)
        group = tuple(
            each and (each.alike, each.match_class, each.events, len(each.chosen))
            for each in (before, after)
        )
        return Moved(place, outcome_of(before), outcome_of(after), group)

    def report(self, causes: Mapping[int, Cause]) -> Json:
        """All of the report that both judgings give."""
        asked = self.asked
        lines = len(self.columns.lines)
        return {
            "study": dict(asked.study),
            "rules": {
                "before": {"number": asked.before.number, "hash": asked.before.hash},
                "after": {"number": asked.after.number, "hash": asked.after.hash},
            },
            "labels_hash": asked.labels.hash,
            "changes": [
                {"file": each.file, "path": list(each.path), "words": each.words}
                for each in self.changes
            ],
            "lines": {
                "all": lines,
                "judged": lines - len(self.before.left),
                "left": len(self.before.left),
                "replayed": len(self._lines_replayed()),
            },
            "matrix": self._matrix(),
            "harm": self._harm(),
            "rows": self._rows(causes),
            "causes": self._causes(causes),
            "review": self._review(),
            "automatic": {
                "before": automatic_share(self.columns, self.before, asked.labels),
                "after": automatic_share(self.columns, self.after, asked.labels),
            },
            "criteria": {
                "before": criteria_counted(_standings(self.before)),
                "after": criteria_counted(_standings(self.after)),
            },
            "drift": self._drift(),
            "left": self._claims_left(),
        }

    def _claims_left(self) -> list[int]:
        """The claims that nothing has judged, by their number in the study."""
        lines = self.columns.lines
        numbers = {first: number for number, first in enumerate(sorted({e.first for e in lines}))}
        return sorted({numbers[lines[line].first] for line in self.before.left})

    def _lines_replayed(self) -> set[int]:
        both = self.asked.replayed or ()
        return {place // len(KINDS) for each in both for place in each.verdicts}

    def _sums(self, places: Iterable[int]) -> Json:
        """Lines, what they bill in each unit, and their charges."""
        units: Counter[str] = Counter()
        amount, count = Decimal(0), 0
        for place in places:
            line = self.columns.lines[place // len(KINDS)].line
            count += 1
            billed = Decimal(1) if line.units is None else line.units
            units[line.unit or "UN"] += billed  # type: ignore[assignment]
            amount += line.charge or Decimal(0)
        return {
            "lines": count,
            "units": {unit: _plain(Decimal(total)) for unit, total in sorted(units.items())},
            "amount": f"{amount:.2f}",
        }

    def _matrix(self) -> list[Json]:
        cells: dict[tuple[str, str], list[int]] = {}
        for place in self.places:
            before, after = self.both(place)
            cells.setdefault((class_of(before), class_of(after)), []).append(place)
        return [
            {"before": before, "after": after, **self._sums(cells[before, after])}
            for before in CLASSES
            for after in CLASSES
            if (before, after) in cells
        ]

    def _harm(self) -> list[Json]:
        by_harm: dict[Harm, list[int]] = {}
        for harm, place in self.moved:
            by_harm.setdefault(harm, []).append(place)
        return [
            {
                "harm": harm,
                "says": says,
                "is_harmful": harm in HARMFUL,
                **self._sums(by_harm.get(harm, ())),
            }
            for harm, says in HARMS.items()
        ]

    def _rows(self, causes: Mapping[int, Cause]) -> list[Json]:
        """The lines that move, the worst first, then those of the highest charge."""
        worst = list(HARMS)
        lines = self.columns.lines

        def order(moved: tuple[Harm, int]) -> tuple[int, Decimal, int]:
            charge = lines[moved[1] // len(KINDS)].line.charge or Decimal(0)
            return worst.index(moved[0]), -charge, moved[1]

        return [
            self._row(harm, place, causes.get(place))
            for harm, place in sorted(self.moved, key=order)[:ROWS_MAX]
        ]

    def _row(self, harm: Harm, place: int, cause: Cause | None) -> Json:
        asked = self.columns.lines[place // len(KINDS)]
        claim, line = asked.pool.claim, asked.line
        before, after = self.both(place)
        decided = next(
            (
                each
                for each in claim.decided
                if each.line == line.line and each.kind == KINDS[place % len(KINDS)]
            ),
            None,
        )
        return {
            "claim_id": claim.claim.claim_id,
            "version": claim.claim.version,
            "line": line.line,
            "kind": KINDS[place % len(KINDS)],
            "claim_type": claim.claim.type,
            "harm": harm,
            "before": _verdict(before),
            "after": _verdict(after),
            "cause": None if cause is None else list(cause.changes),
            "is_smallest": cause is not None and cause.is_smallest,
            "units": _plain(line.units) if line.units is not None else "1",
            "unit": line.unit or "UN",
            "amount": None if line.charge is None else f"{line.charge:.2f}",
            "decided": decided and {"class": decided.match_class, "chosen": list(decided.chosen)},
        }

    def _causes(self, causes: Mapping[int, Cause]) -> list[Json]:
        """By cause how many lines it moves, most first."""
        counts = Counter(each.changes for each in causes.values())
        harmful = Counter(
            causes[place].changes
            for harm, place in self.moved
            if harm in HARMFUL and place in causes
        )
        ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        return [
            {"changes": list(some), "lines": lines, "harmful": harmful[some]}
            for some, lines in ordered
        ]

    def _review(self) -> Json:
        """The lines that an examiner must look at, and what that takes."""
        waiting = [
            {place // len(KINDS) for place, each in judging.verdicts.items() if each.waits}
            for judging in (self.before, self.after)
        ]
        before, after = map(len, waiting)
        minutes = self.asked.minutes
        return {
            "minutes_a_line": minutes,
            "before": {"lines": before, "hours": _hours(before * minutes)},
            "after": {"lines": after, "hours": _hours(after * minutes)},
            "change_hours": _hours((after - before) * minutes),
        }

    def _drift(self) -> Json:
        """How many decided questions come out otherwise by the rules in force, as things stand."""
        compared = changed = 0
        for line, asked in enumerate(self.columns.lines):
            if line in self.before.left:
                continue
            for each in asked.pool.claim.decided:
                if each.line == asked.line.line:
                    verdict = self.before.verdicts.get(line * len(KINDS) + KINDS.index(each.kind))
                    compared += 1
                    changed += verdict is None or (each.match_class, each.chosen) != (
                        verdict.match_class,
                        verdict.chosen,
                    )
        return {"compared": compared, "otherwise": changed}


def _verdict(verdict: Verdict | None) -> Json:
    if verdict is None:
        return {"class": class_of(None), "chosen": [], "events": [], "percent": None}
    return {
        "class": verdict.match_class,
        "required": verdict.is_required,
        "template": verdict.template,
        "truncated": verdict.truncated,
        "chosen": list(verdict.chosen),
        "events": list(verdict.events),
        "percent": verdict.standing.percent if verdict.standing else None,
    }


def _standings(judging: Judging) -> list[tuple[str, Standing, int]]:
    """How lines stand, each once, with its template and how many stand so."""
    alike = Counter(
        (each.template, id(each.standing)) for each in judging.verdicts.values() if each.standing
    )
    standings = {id(each.standing): each.standing for each in judging.verdicts.values()}
    return [
        (template, standing, lines)
        for (template, name), lines in alike.items()
        if (standing := standings[name]) is not None
    ]


def _notes(before: RuleBook, after: RuleBook, comparison: Comparison) -> Iterator[str]:
    """What one must know to read the report right."""
    replayed = len(comparison._lines_replayed())
    if replayed:
        yield (
            f"{replayed} lines were replayed on Elasticsearch, by both sets of rules, against the"
            " authorizations of that moment: raw clauses, too many candidates, or days beyond the"
            " study. No causes are tried for them."
        )
    if comparison.before.left:
        yield (
            f"{len(comparison.before.left)} lines are left out: only a replay on Elasticsearch can"
            " judge them (raw clauses, too many candidates, or days beyond the study)."
        )
    if not after.stored.writes_as(before.stored):
        yield (
            "Attached fields or informational modifiers change. Authorizations are judged as they"
            " are stored: the rules take effect after `authmatch index migrate`."
        )


def _plain(number: Decimal) -> str:
    """A number without zeros that say nothing."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _hours(minutes: int) -> str:
    return f"{Decimal(minutes) / 60:.1f}"


def swept(
    columns: Columns,
    texts: Mapping[str, str],
    file: str,
    path: Sequence[str],
    values: Sequence[int],
) -> Json:
    """What a key of a file comes to at several values.

    Raises LookupError for a key that there is not, TemplatesRefused.
    """
    now = key_of(texts, file, path)
    books = [(each, load_texts(with_key(texts, file, path, each)).book) for each in values]
    points = [
        point(columns, Judge(columns, book).judge(), Labels(), MINUTES, value)
        for value, book in books
    ]
    return {"now": now, "lines": len(columns.lines), "points": points}
