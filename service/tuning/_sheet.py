"""The candidates of a claim side by side, and the columns of a template over them.

Two questions of which all is the same that a match looks at are judged alike.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.domain.candidate import Candidate
from service.domain.claim import ServiceLine
from service.domain.effective import LineValues
from service.flow.matching.match import mother_of
from service.tuning.study import StudyClaim, member_of

Key = tuple[Hashable, ...]

Row = tuple[Any, ...]
"""A row of a sheet: the first is the number of the pool."""

_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Pool:
    """All that could cover a claim: the lines of its candidates side by side, as they are ranked.

    ``alike`` numbers what a match looks at beside comparisons: two pools of one number are judged
    alike by the same columns.
    """

    claim: StudyClaim
    lines: tuple[LineValues, ...]
    owners: tuple[int, ...]
    hers: tuple[bool, ...]
    alike: int

    @classmethod
    def of(cls, claim: StudyClaim, known: dict[Key, int]) -> "Pool":
        """Lay the candidates out; ``known`` has the numbers that were given out."""
        ordered = tuple(sorted(claim.candidates, key=_order))
        lines = tuple(line for each in ordered for line in each.lines)
        has_mother = mother_of(claim.claim) is not None
        pool = cls(
            claim=replace(claim, candidates=ordered),
            lines=lines,
            owners=tuple(place for place, each in enumerate(ordered) for _ in each.lines),
            hers=tuple(has_mother and member_of(each) not in claim.person.ids for each in ordered),
            alike=0,
        )
        facts = pool.facts(range(len(lines)))
        return replace(pool, alike=known.setdefault(facts, len(known)))

    def facts(self, places: Iterable[int]) -> Key:
        """What a match looks at of these lines: their order and ends, and their decisions."""
        places = tuple(places)
        owners = dict.fromkeys(self.owners[place] for place in places)
        ordered = [_order(self.claim.candidates[owner]) for owner in owners]
        lines = [self.lines[place] for place in places]
        return (
            _ranks([self.owners[place] for place in places]),
            tuple(self.hers[owner] for owner in owners),
            *map(_ranks, zip(*ordered, strict=True)),
            _ranks([line["effective"].get("last", _LAST) for line in lines]),
            tuple((line["line"], line.get("action")) for line in lines),
        )


def _order(candidate: Candidate) -> tuple[str, str, str, str]:
    return (
        candidate.certification_date or _LAST,
        candidate.starts_on or _LAST,
        candidate.number or _LAST,
        candidate.authorization_id,
    )


def _ranks(values: Sequence[Any]) -> tuple[int, ...]:
    """The place of each value among the different ones."""
    places = {value: place for place, value in enumerate(sorted(set(values)))}
    return tuple(places[value] for value in values)


@dataclass(frozen=True, slots=True)
class Asked:
    """One claim line of a study; ``first`` is the place of the first line of its claim."""

    pool: Pool
    line: ServiceLine
    first: int


@dataclass(slots=True)
class Sheet:
    """The columns of one template over its questions, side by side.

    ``within``: whether all candidates are at hand. ``masks`` are the columns that have a bit for
    each authorization line, ``others`` say something of the claim line alone. ``required`` are, by
    step of the template, the columns of each requirement and of its alternative.
    """

    within: list[bool]
    columns: list[list[Hashable]] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    numbers: int = 0
    required: list[list[tuple[int, int | None]]] = field(default_factory=list)
    excluded: list[int] = field(default_factory=list)

    def add(self, column: list[Hashable]) -> int:
        """Add a column; gives its place."""
        self.columns.append(column)
        return len(self.columns) - 1

    def add_mask(self, column: list[Hashable]) -> int:
        """Add a column that has a bit for each authorization line."""
        self.masks.append(self.add(column))
        return self.masks[-1]

    def rows(self) -> Iterator[Row]:
        """What is known of each question; of the same all are judged alike."""
        return zip(*self.columns, strict=True)

    def relevant(self, row: Row, pool: Pool) -> tuple[int, ...]:
        """The lines that a judgement looks at: candidates, and what carries a submitted number."""
        everything = (1 << len(pool.lines)) - 1
        found = 0
        for step in self.required:
            fitting = everything
            for use, wider in step:
                if row[use] is not None:
                    fitting &= row[use] | ((row[wider] or 0) if wider is not None else 0)
            found |= fitting
        for place in self.excluded:
            found &= ~(row[place] or 0)
        carriers = 0
        for _, _, carried in row[self.numbers]:
            carriers |= carried
        return tuple(
            place
            for place, owner in enumerate(pool.owners)
            if found >> place & 1 or carriers >> owner & 1
        )

    def part(self, row: Row, pool: Pool, places: Sequence[int]) -> Key:
        """A row for these lines alone: of the same part all are judged alike."""
        owners = dict.fromkeys(pool.owners[place] for place in places)
        numbers = tuple(
            (level, is_number, tuple(carried >> owner & 1 for owner in owners))
            for level, is_number, carried in row[self.numbers]
        )
        masks = [row[at] for at in self.masks]
        of_lines = tuple(tuple([each and each >> place & 1 for each in masks]) for place in places)
        absent = tuple([each is None for each in masks])
        others = tuple([row[at] for at in self.others])
        return (pool.facts(places), numbers, of_lines, absent, others)
