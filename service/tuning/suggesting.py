"""Suggests thresholds, leads and weights by which more automatic decisions would have been right.

A search over the whole numbers that are written in templates, on a study in memory. What it comes
to on lines that it has not seen is found by leaving each part of the claims out in turn.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from service.domain.misfits import Misfit
from service.domain.template import WEIGHT_TOTAL_MAX
from service.querying.problem import TemplatesRefused
from service.rules.book import RuleBook
from service.rules.changes import content_of
from service.rules.fields import Path, scalars_of
from service.rules.texts import load_texts
from service.tuning.columns import KINDS, Columns
from service.tuning.judging import Judge
from service.tuning.measures import Labels, first_taken, labelled, wilson

Json = dict[str, Any]
Texts = Mapping[str, str]
Values = tuple[int, ...]
"""A value of every knob, in their order."""

LABELS_MIN = 50
"""With fewer lines that people labelled nothing is suggested: chance alone would decide."""

PARTS = 5
TRIES = 400
"""Where nobody says otherwise."""

_MIN, _LEAD, _ENABLED = (("auto_resolve", name) for name in ("min", "lead", "enabled"))
_PERCENT_MAX = 100
_SWEPT_MIN = range(100, 39, -5)
_SWEPT_LEAD = (5, 10, 20)
_STEPS = (16, 8, 4, 2, 1)
_SWITCH = {"false": 0, "true": 1}


@dataclass(frozen=True, slots=True)
class Search:
    """How to look for a suggestion: the seed, the parts, and how many tries for each."""

    seed: int
    parts: int
    tries: int


@dataclass(frozen=True, slots=True)
class Knob:
    """A whole number, or a switch, that is written in a template: where, its value, its bounds."""

    file: str
    path: Path
    value: int
    least: int
    most: int
    start: int
    end: int

    def written(self, value: int) -> str:
        """A value as the file has it."""
        return str(bool(value)).lower() if self.path == _ENABLED else str(value)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many labelled lines are taken rightly, and wrongly."""

    right: int
    wrong: int


def knobs_of(texts: Texts, templates: Iterable[str]) -> tuple[Knob, ...]:
    """Every knob of these templates and of those that they extend, each once."""
    contents = {file: content_of(file, text) for file, text in texts.items() if "/" not in file}
    files = {each["id"]: file for file, each in contents.items() if isinstance(each, dict)}
    wanted: set[str] = set()
    for name in templates:
        above: Any = name
        while above in files and files[above] not in wanted:
            wanted.add(files[above])
            above = contents[files[above]].get("extends")
    return tuple(knob for file in sorted(wanted) for knob in _knobs_in(file, texts[file]))


def _knobs_in(file: str, text: str) -> Iterator[Knob]:
    for path, node in scalars_of(text):
        bounds = _bounds(path)
        written = str(node.value)
        if bounds is None or not (written.isdecimal() or written in _SWITCH):
            continue
        value = _SWITCH.get(written)
        start, end = node.start_mark.index, node.end_mark.index
        yield Knob(file, path, int(written) if value is None else value, *bounds, start, end)


def _bounds(path: Path) -> tuple[int, int] | None:
    """The least and greatest value of a key; None for one that is no knob."""
    if path == _ENABLED:
        return 0, 1
    if path == _LEAD:
        return 1, _PERCENT_MAX  # without a lead all are taken that reach the minimum
    if path in (_MIN, ("non_exact", "min")):
        return 0, _PERCENT_MAX
    if path[:1] == ("criteria",) and path[-1] == "weight":
        return 1, WEIGHT_TOTAL_MAX
    return None


def texts_with(texts: Texts, knobs: Sequence[Knob], values: Values) -> dict[str, str]:
    """The texts with other values, and nothing else otherwise: comments stay."""
    changed = dict(texts)
    turned = [pair for pair in zip(knobs, values, strict=True) if pair[0].value != pair[1]]
    for knob, value in sorted(turned, key=lambda pair: -pair[0].start):
        text = changed[knob.file]
        changed[knob.file] = text[: knob.start] + knob.written(value) + text[knob.end :]
    return changed


@dataclass(slots=True)
class Trials:
    """Judges the labelled lines of a study by other values; each at most once, and so many."""

    columns: Columns
    texts: Texts
    knobs: tuple[Knob, ...]
    labels: Sequence[tuple[int, str | None]]
    tell: Callable[[str], object]
    made: int = 0
    _known: dict[Values, tuple[int, ...] | None] = field(default_factory=dict)

    @property
    def present(self) -> Values:
        """The values of the rules as they are."""
        return tuple(each.value for each in self.knobs)

    def outcomes(self, values: Values) -> tuple[int, ...] | None:
        """Of each label 1 for right, -1 for wrong, 0 for not taken; None where rules are none."""
        if values not in self._known:
            self.made += 1
            self.tell(f"{self.made} tried")
            self._known[values] = self._judged(values)
        return self._known[values]

    def _judged(self, values: Values) -> tuple[int, ...] | None:
        loaded = load_texts(texts_with(self.texts, self.knobs, values))
        if loaded.problems:
            return None
        return outcomes_of(self.columns, loaded.book, self.labels)

    def standing(self, values: Values, chosen: Iterable[int]) -> Standing | None:
        """How many of some labels come out rightly and wrongly."""
        outcomes = self.outcomes(values)
        if outcomes is None:
            return None
        some = [outcomes[each] for each in chosen]
        return Standing(some.count(1), some.count(-1))


def outcomes_of(
    columns: Columns, book: RuleBook, labels: Sequence[tuple[int, str | None]]
) -> tuple[int, ...]:
    """Of each label of a question 1 for rightly taken, -1 for wrongly, 0 for not taken."""
    lines = sorted({line for place, _ in labels for line in columns.with_claim(place)})
    judging = Judge(columns, book).judge(lines)
    taken = ((first_taken(judging, place), right) for place, right in labels)
    return tuple(0 if first is None else 1 if first == right else -1 for first, right in taken)


@dataclass(slots=True)
class Climb:
    """Goes from the present values to better ones, as long as one is found and tries are left.

    What was judged for another search counts as well: only the chosen labels decide where it goes.
    """

    trials: Trials
    chosen: Sequence[int]
    tries: int
    _tried: set[Values] = field(default_factory=set)
    best: Values = field(init=False)
    _wrong: int = field(init=False)
    _rank: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what is."""
        present = self.trials.present
        now = self.trials.standing(present, self.chosen) or Standing(0, 0)
        self.best, self._wrong, self._rank = present, now.wrong, (now.right, -now.wrong, 0, 0)

    def found(self) -> Values:
        """The best values: most right, then fewest wrong, then nearest to what is."""
        before = None
        while before != self.best:
            before = self.best
            for values in self._swept():
                self._take(values)
            for step in _STEPS:
                while self._stepped(step):
                    pass
        return self.best

    def _swept(self) -> Iterator[Values]:
        """Threshold, lead and switch of a file together: alone none of them may be any use."""
        knobs = self.trials.knobs
        for file in dict.fromkeys(each.file for each in knobs):
            at = {each.path: place for place, each in enumerate(knobs) if each.file == file}
            if _MIN not in at:
                continue
            leads = (*_SWEPT_LEAD, self.best[at[_LEAD]]) if _LEAD in at else (0,)
            for least, lead in product(_SWEPT_MIN, leads):
                turned = {_MIN: least, _LEAD: lead, _ENABLED: 1}
                yield self._with({at[path]: turned[path] for path in turned if path in at})

    def _stepped(self, step: int) -> bool:
        """Turn each knob up, down and back; says whether that found something better."""
        is_better = False
        for place, knob in enumerate(self.trials.knobs):
            here = self.best[place]
            for value in (here - step, here + step, knob.value):
                if knob.least <= value <= knob.most and value != here:
                    is_better |= self._take(self._with({place: value}))
        return is_better

    def _with(self, turned: Mapping[int, int]) -> Values:
        return tuple(turned.get(place, value) for place, value in enumerate(self.best))

    def _take(self, values: Values) -> bool:
        """Take values that are better, and have no more wrong lines than now."""
        trials = self.trials
        if values not in self._tried:
            if len(self._tried) >= self.tries:
                return False
            self._tried.add(values)
        found = trials.standing(values, self.chosen)
        if found is None or found.wrong > self._wrong:
            return False
        far = [abs(a - b) for a, b in zip(values, trials.present, strict=True)]
        rank = (found.right, -found.wrong, -sum(map(bool, far)), -sum(far))
        if rank <= self._rank:
            return False
        self.best, self._rank = values, rank
        return True


def suggestion(
    columns: Columns,
    texts: Texts,
    labels: Labels,
    asked: Search,
    tell: Callable[[str], object] = lambda _: None,
) -> Json:
    """Look for values; raises Misfit for too few labels, TemplatesRefused for rules that are none.

    ``holds``: also on lines that it was not made from more come out right, and no more wrong.
    """
    known = _labels_judged(columns, texts, labels)
    templates = {place: name for place, (name, _) in known.items()}
    right = [(place, label) for place, (_, label) in known.items()]
    trials = Trials(columns, texts, knobs_of(texts, set(templates.values())), right, tell)
    every = range(len(right))
    found = Climb(trials, every, asked.tries).found()
    unseen = [0] * len(right)
    for part in _parts(columns, right, asked):
        out = set(part)
        others = [each for each in every if each not in out]
        outcomes = trials.outcomes(Climb(trials, others, asked.tries).found()) or ()
        for each in part:
            unseen[each] = outcomes[each]
    now, then = trials.outcomes(trials.present) or (), trials.outcomes(found) or ()
    told = {"now": now, "suggested": then, "unseen": tuple(unseen)}
    measured = {name: _measures(outcomes, right) for name, outcomes in told.items()}
    return {
        "labels": len(right),
        "labels_hash": labels.hash,
        "seed": asked.seed,
        "parts": asked.parts,
        "tried": trials.made,
        **measured,
        "holds": measured["unseen"]["right"] > measured["now"]["right"]
        and measured["unseen"]["wrong"] <= measured["now"]["wrong"],
        "keys": [
            {"file": each.file, "path": list(each.path), "now": each.value, "suggested": value}
            for each, value in zip(trials.knobs, found, strict=True)
            if each.value != value
        ],
        "texts": texts_with(texts, trials.knobs, found),
    }


def _labels_judged(
    columns: Columns, texts: Texts, labels: Labels
) -> dict[int, tuple[str, str | None]]:
    """By question its template and its label, of those that memory can judge; raises Misfit."""
    loaded = load_texts(texts)
    if loaded.problems:
        raise TemplatesRefused(loaded.problems)
    judging = Judge(columns, loaded.book).judge()
    known = {
        place: (judging.verdicts[place].template, label)
        for place, label in labelled(columns, judging, labels)
        if place in judging.verdicts
    }
    if len(known) < LABELS_MIN:
        reason = f"{len(known)} labelled lines of the study can be judged, {LABELS_MIN} are needed"
        raise Misfit(f"{reason}: label more of them (golden next), or import labels", "study")
    return known


def _parts(
    columns: Columns, right: Sequence[tuple[int, str | None]], asked: Search
) -> Iterator[list[int]]:
    """The labels in parts, as the seed draws them: lines of one claim stay together."""
    claims = [columns.lines[place // len(KINDS)] for place, _ in right]
    names = [each.pool.claim.claim.claim_id for each in claims]

    def drawn(name: str) -> bytes:
        return hashlib.sha256(f"{asked.seed}|{name}".encode()).digest()

    order = {name: at for at, name in enumerate(sorted(set(names), key=drawn))}
    for part in range(asked.parts):
        some = [at for at, name in enumerate(names) if order[name] % asked.parts == part]
        if some:
            yield some


def _measures(outcomes: Sequence[int], right: Sequence[tuple[int, str | None]]) -> Json:
    """Right and wrong lines, with precision and recall and their intervals."""
    hits, misses = outcomes.count(1), outcomes.count(-1)
    there = sum(label is not None for _, label in right)
    return {
        "right": hits,
        "wrong": misses,
        "precision": wilson(hits, hits + misses),
        "recall": wilson(hits, there),
    }
