"""Judges a study by a book of rules, in memory and by the very code that matches claims.

Questions that come to the same in every comparison have the same answer, so each different one is
judged once. What the lines of a claim do to one another (numbers, specialised processing) is looked
at claim by claim.
"""

from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from typing import Any, NamedTuple, TypeVar

from service.comparison.plan import Plan
from service.comparison.prepared import Preparation
from service.domain.answers import MatchClass
from service.domain.candidate import Candidate
from service.domain.claim import AuthorizationKind
from service.domain.claim_values import asked_for
from service.domain.event import Event
from service.domain.person import Person
from service.flow.matching.finding import Finder
from service.flow.matching.match import LineSearch, find, mother_of, rank_search
from service.matching.numbers import (
    Submitted,
    fit,
    invalid_number_events,
    numbers_for,
    without_numbers,
)
from service.matching.resolution import MIN_ADJOINING, fitting_but_days, resolve
from service.matching.specialised import (
    Granted,
    LookedUp,
    authorized_code,
    find_specialised,
    looked_up,
    specialised_events,
    with_specialised,
)
from service.rules.book import RuleBook
from service.tuning._criteria import Standing, standing_of
from service.tuning._sheet import Asked, Key, Pool, Row, Sheet
from service.tuning.columns import KINDS, Columns, Reader, by_template
from service.tuning.study import StudyClaim

T = TypeVar("T")


class Verdict(NamedTuple):
    """How a line comes out for one kind by a book of rules; ``chosen`` in the order of drawing.

    ``waits``: an event sends the line to an examiner. ``standing`` says how the best candidate met
    the criteria, None where there is none; ``alike`` is the number of all that are judged alike.
    """

    kind: AuthorizationKind
    is_required: bool
    template: str
    match_class: MatchClass
    truncated: bool
    chosen: tuple[str, ...]
    events: tuple[str, ...]
    waits: bool
    standing: Standing | None = None
    alike: int = 0

    @property
    def is_automatic(self) -> bool:
        """Whether an authorization is taken that the line needs, and no examiner looks at it."""
        return bool(self.is_required and self.chosen and not self.waits)

    @property
    def outcome(self) -> tuple[object, ...]:
        """All of it that whoever pays the line can tell."""
        return (
            self.template,
            self.is_required,
            self.match_class,
            self.truncated,
            self.chosen,
            self.events,
            self.waits,
        )


def verdict_of(search: LineSearch) -> Verdict:
    """The verdict of a line that was matched and resolved, with its events."""
    return Verdict(
        search.kind,
        search.is_required,
        search.plan.template.id,
        search.ranked.match_class,
        search.ranked.truncated,
        tuple(each.candidate.authorization_id for each in search.resolution.chosen),
        tuple(each.code for each in search.events),
        any(each.action == "suspend" for each in search.events),
        standing_of(search.ranked),
    )


Verdicts = Mapping[int, Verdict]
"""By place of the question (``service.tuning.columns``)."""


@dataclass(frozen=True, slots=True)
class Judging:
    """A study judged by a book: the verdicts, and the lines that only the engine can judge."""

    verdicts: Verdicts
    left: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Look:
    """What a question is judged by, and the number of all that are judged alike."""

    plan: Plan
    kind: AuthorizationKind
    is_required: bool
    alike: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """A verdict without names: authorization lines by their place among those that are relevant.

    ``fits`` says of every submitted number whether a candidate of the line carries it, ``shown``
    are the lines whose authorization another line's number may fit, ``near`` those that specialised
    processing looks at. ``is_alone``: it depends on the very days, and holds for no other question.
    """

    match_class: MatchClass
    truncated: bool
    chosen: tuple[int, ...]
    near: tuple[int, ...]
    shown: tuple[int, ...]
    events: tuple[Event, ...]
    invalid: tuple[Event, ...]
    fits: tuple[bool, ...]
    is_alone: bool
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A shape, and the lines of the pool to which its places belong.

    ``relevant`` are all lines that may become candidates if numbers are dropped; ``row`` is the
    number of all questions that are the same in everything.
    """

    shape: _Shape
    lines: tuple[int, ...]
    relevant: tuple[int, ...]
    row: int


_SHOWN = (False, 1)
"""Stands for an exact or non-exact candidate, among the keys of near misses."""


@dataclass(slots=True)
class _Alike:
    """What was judged of one template already: rows, parts of them, and authorizations alone."""

    sheet: Sheet
    preparation: Preparation
    rows: dict[tuple[bool, Row], tuple[_Look, _Placed]] = field(default_factory=dict)
    parts: dict[Key, tuple[_Look, _Shape]] = field(default_factory=dict)
    alone: dict[Key, tuple[bool, int] | None] = field(default_factory=dict)


@dataclass(slots=True)
class Judge:
    """Judges the questions of a study by one book."""

    columns: Columns
    book: RuleBook
    _reader: Reader = field(init=False)
    _looks: dict[int, _Look] = field(default_factory=dict)
    _placed: dict[int, _Placed] = field(default_factory=dict)
    _dropped: dict[tuple[int, tuple[bool, ...]], _Shape] = field(default_factory=dict)
    _special: dict[str, bool] = field(default_factory=dict)
    _alike: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        """Read the values of all lines."""
        self._reader = Reader.of(self.columns, self.book.references)

    def judge(self, lines: Iterable[int] | None = None) -> Judging:
        """Judge all lines, or these, in their order; lines of one claim only together."""
        asked = list(range(len(self.columns.lines)) if lines is None else lines)
        looks = self.columns.looks(self.book, asked)
        left: set[int] = set()
        for (template, kind, is_required, _), places in by_template(
            looks, self.columns.lines, asked
        ).items():
            plan = self.book.plan(template)
            if plan.raws():
                left.update(place // len(KINDS) for place in places)
            else:
                left.update(self._judge_alike(plan, kind, places, is_required=is_required))
        pools = {id(self._pool_of(line)) for line in left}
        found: dict[int, Verdict] = {}
        for pool, of_claim in groupby(sorted(self._placed), key=self._pool):
            if id(pool) not in pools:  # its lines may do something to one another
                found.update(self._of_claim(pool, list(of_claim)))
        all_left = frozenset(line for line in asked if id(self._pool_of(line)) in pools)
        return Judging(found, all_left if pools else frozenset())

    def _pool_of(self, line: int) -> Pool:
        return self.columns.lines[line].pool

    def _pool(self, place: int) -> Pool:
        return self._pool_of(place // len(KINDS))

    def _asked(self, place: int) -> Asked:
        return self.columns.lines[place // len(KINDS)]

    def _judge_alike(
        self, plan: Plan, kind: AuthorizationKind, places: Sequence[int], *, is_required: bool
    ) -> Iterable[int]:
        """Judge the questions of one template; gives the lines of which not all is at hand."""
        steps = range(1, len(plan.template.relax) + 1)
        relaxed = [self.book.relaxed(plan, step) for step in steps]
        sheet = self._reader.sheet(plan, places, relaxed)
        alike = _Alike(sheet, Preparation(plan=plan))
        left: list[int] = []
        for place, within, row in zip(places, sheet.within, sheet.rows(), strict=True):
            if not within:
                left.append(place // len(KINDS))
                continue
            code = self._reader.values[place // len(KINDS)].get("line.procedure")
            is_whole = bool(relaxed) or self._may_be_special(code)
            found = alike.rows.get((is_whole, row))
            if found is None or found[1].shape.is_alone:
                self._looks[place] = _Look(plan, kind, is_required, next(self._alike))
                found = alike.rows[is_whole, row] = self._placed_of(place, row, alike, is_whole)
            self._looks[place], self._placed[place] = found
        return left

    def _placed_of(
        self, place: int, row: Row, alike: _Alike, is_whole: bool
    ) -> tuple[_Look, _Placed]:
        """Judge a row that was not seen before, as far as its parts were not."""
        pool, sheet = self._pool(place), alike.sheet
        relevant = lines = sheet.relevant(row, pool)
        if not is_whole:
            lines = self._deciding(place, row, alike, relevant)
        part = is_whole, sheet.part(row, pool, lines)
        known = alike.parts.get(part)
        if known is None or known[1].is_alone:
            known = alike.parts[part] = self._looks[place], self._shape(place, lines)
        return known[0], _Placed(known[1], lines, relevant, next(self._alike))

    def _deciding(
        self, place: int, row: Row, alike: _Alike, lines: Sequence[int]
    ) -> tuple[int, ...]:
        """The lines of exact and non-exact candidates; where there are none, of the nearest miss.

        A candidate is judged by itself: what others there are does not change its points.
        """
        pool, misses = self._pool(place), []
        deciding: list[int] = []
        for _, of_owner in groupby(lines, key=pool.owners.__getitem__):
            own = tuple(of_owner)
            part = alike.sheet.part(row, pool, own)
            if part not in alike.alone:
                alike.alone[part] = self._alone(place, alike.preparation, own)
            found = alike.alone[part]
            if found == _SHOWN:
                deciding += own
            elif found is not None:
                misses.append((found, own))
        return tuple(deciding) or (min(misses)[1] if misses else ())

    def _alone(
        self, place: int, preparation: Preparation, lines: Sequence[int]
    ) -> tuple[bool, int] | None:
        """Judge one authorization: None for no candidate, _SHOWN, or how near it comes."""
        pool, kind = self._pool(place), self._looks[place].kind
        few = replace(pool.claim, candidates=(_owner(pool, lines[0]),))
        line = place // len(KINDS)
        asked = preparation.line(line, self._reader.values[line] | asked_for(kind))
        (found,) = run(_finder(few).passes([asked]))
        if not found.judged:
            return None
        (judged,) = found.judged
        if judged.match_class != "none":
            return _SHOWN
        return not judged.carries_number, -judged.score

    def _shape(self, place: int, lines: Sequence[int], elsewhere: Sequence[bool] = ()) -> _Shape:
        """Judge one question; ``elsewhere``: which of its numbers fit another line."""
        look, pool = self._looks[place], self._pool(place)
        owners = dict.fromkeys(pool.owners[each] for each in lines)
        few = replace(
            pool.claim, candidates=tuple(pool.claim.candidates[owner] for owner in owners)
        )
        search, finder = self._search(place), _finder(few)
        run(find([search], finder, self.book))
        submitted = self._numbers(place)
        fits = [fit(each, search.ranked) for each in submitted]
        search.submitted = tuple(
            replace(each, fits=own, fits_another_line=another)
            for each, own, another in zip(
                submitted, fits, elsewhere or [False] * len(fits), strict=True
            )
        )
        if any(elsewhere):
            for put in search.passes:
                put.asked = without_numbers(put.asked, search.submitted) or put.asked
                run(finder.judge(put))
            rank_search(search)
        events = self.book.events(look.plan, pool.claim.claim.type)
        ranked, resolution = search.ranked, resolve(search.ranked, events)
        at = {id(pool.lines[each]): place for place, each in enumerate(lines)}
        line_of = {
            each.candidate.authorization_id: at[id(each.line)]
            for each in (*ranked.near_misses, *ranked.shown)
            if each.is_candidate
        }
        near = looked_up(look.kind, None, ranked, resolution).near
        invalid = invalid_number_events(search.submitted, events)
        return _Shape(
            match_class=ranked.match_class,
            truncated=ranked.truncated,
            chosen=tuple(at[id(each.line)] for each in resolution.chosen),
            near=tuple(line_of[each.authorization_id] for each in near),
            shown=tuple(at[id(each.line)] for each in ranked.shown),
            events=resolution.events,
            invalid=invalid,
            fits=tuple(own is not None for own in fits),
            is_alone=len(fitting_but_days(ranked.non_exact)) >= MIN_ADJOINING,
            standing=standing_of(ranked),
        )

    def _search(self, place: int) -> LineSearch:
        look, asked = self._looks[place], self._asked(place)
        values = self._reader.values[place // len(KINDS)] | asked_for(look.kind)
        return LineSearch(
            line=asked.line,
            kind=look.kind,
            plan=look.plan,
            is_required=look.is_required,
            template_row="",
            asked=Preparation(plan=look.plan).line(asked.line.line, values),
        )

    def _numbers(self, place: int) -> tuple[Submitted, ...]:
        asked, plan = self._asked(place), self._looks[place].plan
        return numbers_for(asked.pool.claim.claim, asked.line, plan, self.book.references.numbers)

    def _of_claim(self, pool: Pool, places: Sequence[int]) -> Iterable[tuple[int, Verdict]]:
        """The verdicts of a claim, once its lines were looked at together."""
        self._placed.update(self._settled(pool, places))
        special = self._specialised(pool, places)
        for place in places:
            look, placed = self._looks[place], self._placed[place]
            shape = placed.shape
            events: tuple[Event, ...] = ()
            if look.is_required:
                raised = with_specialised(shape.events, special.get(place, ()))
                events = (*raised, *shape.invalid)
            yield (
                place,
                Verdict(
                    look.kind,
                    look.is_required,
                    look.plan.template.id,
                    shape.match_class,
                    shape.truncated,
                    tuple(
                        _owner(pool, placed.lines[each]).authorization_id for each in shape.chosen
                    ),
                    tuple(each.code for each in events),
                    any(each.action == "suspend" for each in events),
                    shape.standing,
                    look.alike,
                ),
            )

    def _settled(self, pool: Pool, places: Sequence[int]) -> dict[int, _Placed]:
        """Judge questions anew without the numbers of theirs that fit another line."""
        settled: dict[int, _Placed] = {}
        open_ = [place for place in places if not all(self._placed[place].shape.fits)]
        if len(places) == 1 or not open_:
            return settled
        carried = {place: self._carried(pool, place) for place in places}
        for place in open_:
            placed = self._placed[place]
            elsewhere = tuple(
                not fits
                and each.level == "claim"
                and each.no_number is None
                and any(
                    each.normalised in numbers
                    for other, numbers in carried.items()
                    if other != place
                )
                for each, fits in zip(self._numbers(place), placed.shape.fits, strict=True)
            )
            if any(elsewhere):
                key = placed.row, elsewhere
                found = self._dropped.get(key)
                if found is None or found.is_alone:
                    found = self._dropped[key] = self._shape(place, placed.relevant, elsewhere)
                settled[place] = replace(placed, shape=found, lines=placed.relevant)
        return settled

    def _carried(self, pool: Pool, place: int) -> set[str]:
        """The numbers that any exact or non-exact candidate of a question carries."""
        placed = self._placed[place]
        owners = {pool.owners[placed.lines[each]] for each in placed.shape.shown}
        return {number for each in owners for number in pool.claim.candidates[each].numbers}

    def _specialised(self, pool: Pool, places: Sequence[int]) -> Mapping[int, tuple[Event, ...]]:
        """The events of procedures that are billed near another one, by question."""
        procedures = {
            place: self._reader.values[place // len(KINDS)].get("line.procedure")
            for place in places
        }
        if not any(map(self._may_be_special, procedures.values())):
            return {}
        lines = [
            LookedUp(
                kind=self._looks[place].kind,
                procedure=procedure if isinstance(procedure, str) else None,
                match_class=self._placed[place].shape.match_class,
                chosen=_granted(pool, self._placed[place], self._placed[place].shape.chosen),
                near=_granted(pool, self._placed[place], self._placed[place].shape.near),
            )
            for place, procedure in procedures.items()
        ]
        rows = find_specialised(lines, self.book.references)
        claim_type = pool.claim.claim.type
        return {
            place: specialised_events(found, self.book.events(self._looks[place].plan, claim_type))
            for place, found in zip(places, rows, strict=True)
        }

    def _may_be_special(self, procedure: object) -> bool:
        """Whether a row of the table holds a procedure."""
        if not isinstance(procedure, str):
            return False
        if procedure not in self._special:
            references = self.book.references
            self._special[procedure] = any(
                row.holds(procedure, references.groups) for row in references.specialised.rows
            )
        return self._special[procedure]


def _owner(pool: Pool, line: int) -> Candidate:
    return pool.claim.candidates[pool.owners[line]]


def _granted(pool: Pool, placed: _Placed, lines: Iterable[int]) -> tuple[Granted, ...]:
    """The authorization lines of a shape, as specialised processing needs them."""
    return tuple(
        Granted(
            authorization_id=_owner(pool, line).authorization_id,
            procedure=authorized_code(pool.lines[line]),
        )
        for line in (placed.lines[each] for each in lines)
    )


def _finder(claim: StudyClaim) -> Finder:
    """What finds the candidates of a claim, as it does those of a live one."""
    mother = mother_of(claim.claim)
    return Finder(
        source=claim,
        payer="",
        person=claim.person,
        mother=None if mother is None else Person.of(mother),
    )


def run(steps: Coroutine[Any, Any, T]) -> T:
    """Run what never waits, since all that it asks is in memory."""
    try:
        steps.send(None)
    except StopIteration as ended:
        found: T = ended.value
        return found
    raise RuntimeError("a study waits for nothing")
