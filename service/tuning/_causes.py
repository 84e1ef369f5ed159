"""The cause of a line that moves: the fewest changed keys that make it move, found by trying.

A set of changes is a cause if the old rules with these changes alone give the new outcome, and the
new rules without them the old one. So it is all that is needed, and nothing in it can be left out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from service.querying.problem import TemplatesRefused
from service.requirement.faults import TableFault
from service.rules.book import RuleBook
from service.tuning.columns import KINDS, Columns
from service.tuning.judging import Judge, Verdict

TRIES_MAX = 400
"""So many sets of changes are tried in order of size; after that they are only made smaller."""

Changes = frozenset[int]
"""Changes by their place among all of the draft."""

Mix = Callable[[Changes], RuleBook]
"""Makes the book of the old rules with these changes; raises TemplatesRefused."""

Outcome = tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class Cause:
    """The changes that make a line move; ``is_smallest``: no set of fewer does."""

    changes: tuple[int, ...]
    is_smallest: bool = True


@dataclass(frozen=True, slots=True)
class Moved:
    """A question that comes out otherwise; ``group`` is the same where all moves the same way."""

    place: int
    before: Outcome
    after: Outcome
    group: tuple[object, ...]


def outcome_of(verdict: Verdict | None) -> Outcome:
    """What is compared; None where nothing was looked for."""
    return None if verdict is None else verdict.outcome


@dataclass(slots=True)
class Trying:
    """Tries sets of changes on the lines that moved, and on no others."""

    columns: Columns
    count: int
    mix: Mix
    _known: dict[tuple[Changes, int], Outcome] = field(default_factory=dict)

    def causes(self, moved: Sequence[Moved]) -> dict[int, Cause]:
        """The cause of each question that moved.

        One of a group is tried; what was found is then made true for all of it, or they are tried
        one by one.
        """
        groups: dict[tuple[object, ...], list[Moved]] = {}
        for each in moved:
            groups.setdefault(each.group, []).append(each)
        found = self._found([of_group[0] for of_group in groups.values()])
        causes = {
            each.place: found[of_group[0].place]
            for of_group in groups.values()
            for each in of_group
        }
        others = [each for of_group in groups.values() for each in of_group[1:]]
        return causes | self._found(list(self._unlike(others, causes)))

    def _unlike(self, moved: Sequence[Moved], causes: Mapping[int, Cause]) -> Iterator[Moved]:
        """Those for which the cause of their group is none."""
        by_changes: dict[Changes, list[Moved]] = {}
        for each in moved:
            by_changes.setdefault(frozenset(causes[each.place].changes), []).append(each)
        for changes, alike in by_changes.items():
            hold = self._holding(changes, alike)
            yield from (each for each in alike if each.place not in hold)

    def _found(self, moved: Sequence[Moved]) -> dict[int, Cause]:
        """Try sets in order of their size; what is left is made smaller from all of them."""
        found: dict[int, Cause] = {}
        left = list(moved)
        tries = 0
        every = range(self.count)
        for size in range(1, self.count + 1):
            for some in combinations(every, size):
                if not left:
                    return found
                tries += 1
                if tries > TRIES_MAX:
                    return found | {each.place: self._lessened(each) for each in left}
                hold = self._holding(frozenset(some), left)
                found |= {place: Cause(some) for place in hold}
                left = [each for each in left if each.place not in hold]
        return found | {each.place: Cause(tuple(every)) for each in left}

    def _lessened(self, moved: Moved) -> Cause:
        """Leave changes out one by one, as long as the others are a cause."""
        kept = frozenset(range(self.count))
        for size in (self.count // 2, self.count // 4, self.count // 8, 1):
            for start in range(0, self.count, max(1, size)):
                fewer = kept - frozenset(range(start, start + max(1, size)))
                if fewer and fewer != kept and self._holding(fewer, [moved]):
                    kept = fewer
        return Cause(tuple(sorted(kept)), is_smallest=False)

    def _holding(self, changes: Changes, moved: Collection[Moved]) -> set[int]:
        """The questions of which these changes are a cause."""
        every = frozenset(range(self.count))
        if changes == every:
            return {each.place for each in moved}
        made = self._outcomes(changes, moved)
        hold = [each for each in moved if made.get(each.place, ()) == each.after]
        undone = self._outcomes(every - changes, hold)
        return {each.place for each in hold if undone.get(each.place, ()) == each.before}

    def _outcomes(self, changes: Changes, moved: Collection[Moved]) -> Mapping[int, Outcome]:
        """How questions come out with these changes alone; what cannot be judged is not there."""
        lacking = [each.place for each in moved if (changes, each.place) not in self._known]
        if lacking:
            self._known.update(self._judged(changes, lacking))
        return {
            each.place: self._known[changes, each.place]
            for each in moved
            if (changes, each.place) in self._known
        }

    def _judged(
        self, changes: Changes, places: Iterable[int]
    ) -> Iterator[tuple[tuple[Changes, int], Outcome]]:
        places = list(places)
        lines = sorted({line for place in places for line in self.columns.with_claim(place)})
        try:
            judging = Judge(self.columns, self.mix(changes)).judge(lines)
        except (TableFault, TemplatesRefused):  # these changes alone make no rules
            return
        for place in places:
            if place // len(KINDS) not in judging.left:
                yield (changes, place), outcome_of(judging.verdicts.get(place))
