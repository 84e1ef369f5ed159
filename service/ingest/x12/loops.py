"""Gathers segments into the loops of a guide, by small tables, while they stream by.

A guide says which HL levels it has, which segments open a loop, and how the parties (NM1) of a loop
are called. What is missing is implied and what is unknown is kept where it stands. Only the levels
above are held; each unit (an event, a claim) is given away when it is complete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.ingest.x12.problem import Findings
from service.ingest.x12.segment import Segment


class Loop:
    """A loop: its own segments and the loops within it."""

    __slots__ = (
        "billing",
        "hl",
        "holds_units",
        "is_implied",
        "is_party",
        "loops",
        "name",
        "parent",
        "rank",
        "segments",
    )

    def __init__(self, name: str, parent: "Loop | None" = None, *, rank: int = 0) -> None:
        """Open an empty loop; ``rank`` is that of an HL level."""
        self.name = name
        self.parent = parent
        self.rank = rank
        self.hl = ""
        self.billing: dict[str, Any] | None = None
        self.is_implied = False
        self.is_party = False
        self.holds_units = False
        self.segments: list[Segment] = []
        self.loops: list[Loop] = []

    @property
    def start(self) -> Segment | None:
        """Its first segment; an implied loop may have none of its own."""
        if self.segments:
            return self.segments[0]
        return next((each.start for each in self.loops if each.start), None)

    def all(self, segment_id: str) -> Iterator[Segment]:
        """Give its segments of one id."""
        return (each for each in self.segments if each.elements[0] == segment_id)

    def first(self, segment_id: str) -> Segment | None:
        """Give its first segment of one id."""
        return next(self.all(segment_id), None)

    def within(self, *names: str) -> Iterator["Loop"]:
        """Give the loops of these names that stand directly in it."""
        return (each for each in self.loops if each.name in names)

    def above(self, name: str) -> "Loop | None":
        """Give the level of this name that it stands under."""
        loop = self.parent
        while loop is not None and loop.name != name:
            loop = loop.parent
        return loop


@dataclass(frozen=True, slots=True)
class Level:
    """An HL level (HL03): its loop, its depth, and the loops that it may stand under."""

    loop: str
    rank: int
    under: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Opening:
    """A segment that opens a loop where one of ``inside`` is open.

    An implied one is a level whose own HL segment is missing.
    """

    loop: str
    inside: frozenset[str]
    is_implied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The loops of a guide; ``unit`` is the one that is given away when it is complete.

    ``parties`` names the loops that an NM1 opens, by the loop around it and NM101; ``stays_above``
    are REF qualifiers that belong to the loop around a party although they stand behind it.
    """

    unit: str
    levels: Mapping[str, Level]
    openings: Mapping[str, tuple[Opening, ...]]
    parties: Mapping[str, Mapping[str, str]]
    party_segments: frozenset[str]
    stays_above: frozenset[str]

    def level_of(self, loop: str) -> Level | None:
        """Give the HL level that a loop is, if it is one."""
        return next((each for each in self.levels.values() if each.loop == loop), None)


HEADER = "header"

SEGMENTS_MAX = 50_000
"""A claim of 999 lines has some thousands; of one with more than this the rest is not held."""

_UNKNOWN = Level("2000", rank=99)
_CONTEXTS = frozenset({"2000A", "2000B", "2000C", "2000D"})


class Walker:
    """Takes the segments of a transaction set one by one; gives the loops that are complete."""

    def __init__(self, structure: Structure, findings: Findings) -> None:
        """Start at the header of the transaction set."""
        self._structure = structure
        self._openings = structure.openings
        self._unit_level = structure.level_of(structure.unit)
        self.findings = findings
        self.header = Loop(HEADER, rank=-1)
        self._levels = [self.header]
        self._at = self.header
        self._unit: Loop | None = None
        self._held = 0
        self._has_overflowed = False

    def take(self, segment: Segment) -> list[Loop]:
        """Put a segment where it belongs; give units and levels that it completes."""
        name = segment.elements[0]
        self._held += 1
        if self._held > SEGMENTS_MAX and name != "HL":
            if not self._has_overflowed:
                self._has_overflowed = True
                self.findings.add("unit-too-long", segment, loop=self._at.name)
            return []
        if name in self._openings:
            for opening in self._openings[name]:
                above = self._inside(opening)
                if above is not None:
                    return self._open(opening, above, segment)
        if name == "HL":
            return self._level(segment)
        if name == "NM1":
            self._party(segment)
            return []
        at = self._at
        if at.is_party and not self._belongs_to_party(name, segment):
            self._at = at = at.parent or self.header
        at.segments.append(segment)
        return []

    def end(self) -> list[Loop]:
        """Give what is still open."""
        return self._close(1)

    def overflowed(self) -> bool:
        """Whether segments were left out since this was asked: there were too many to hold."""
        overflowed, self._has_overflowed = self._has_overflowed, False
        return overflowed

    def _belongs_to_party(self, name: str, segment: Segment) -> bool:
        structure = self._structure
        if name == "REF" and segment.get(1).upper() in structure.stays_above:
            return False
        return name in structure.party_segments

    def _inside(self, opening: Opening) -> Loop | None:
        """Find the loop that a segment opens one in: not beyond the level that is open."""
        level = self._levels[-1]
        if opening.is_implied:
            again = level.is_implied and level.name == opening.loop
            return level if again or level.name in opening.inside else None
        loop = self._at
        while loop.name not in opening.inside:
            if loop is level or loop.parent is None:
                return None
            loop = loop.parent
        return loop

    def _open(self, opening: Opening, above: Loop, segment: Segment) -> list[Loop]:
        closed: list[Loop] = []
        level = self._structure.level_of(opening.loop) if opening.is_implied else None
        if level is not None:
            self.findings.add("loop-implied", segment, loop=opening.loop)
            if above.name == opening.loop:
                closed = self._close(len(self._levels) - 1)
            self._enter(level, is_implied=True)
        else:
            if opening.loop == self._structure.unit:
                closed = self._close(len(self._levels))
            loop = Loop(opening.loop, above)
            if opening.loop == self._structure.unit:
                self._begin_unit(loop)
            else:
                above.loops.append(loop)
            self._at = loop
        self._at.segments.append(segment)
        return closed

    def _level(self, segment: Segment) -> list[Loop]:
        level = self._structure.levels.get(segment.get(3).upper())
        if level is None:
            self.findings.add("hl-level", segment, 3, loop=self._at.name)
            level = _UNKNOWN
        closed = self._close(self._place_under(segment, level) + 1)
        unit = self._unit_level
        if unit and level.under and self._levels[-1].rank < unit.rank < level.rank:
            self.findings.add("loop-implied", segment, loop=unit.loop)
            self._enter(unit, is_implied=True)
        self._enter(level)
        self._at.hl = segment.get(1)
        self._at.segments.append(segment)
        return closed

    def _place_under(self, segment: Segment, level: Level) -> int:
        """Find the level that an HL stands under: by HL02, else by order."""
        named = segment.get(2)
        higher = [place for place, each in enumerate(self._levels) if each.rank < level.rank]
        fit = [place for place in higher if self._levels[place].name in level.under] or higher
        found = [place for place in fit if named and self._levels[place].hl == named]
        if not found and (named or level.under):
            self.findings.add("hl-parent", segment, 2, loop=level.loop)
        return (found or fit)[-1]

    def _enter(self, level: Level, *, is_implied: bool = False) -> None:
        loop = Loop(level.loop, self._levels[-1], rank=level.rank)
        loop.is_implied = is_implied
        if level.loop == self._structure.unit:
            self._begin_unit(loop)
        elif self._unit is not None:
            self._levels[-1].loops.append(loop)
        self._levels.append(loop)
        self._at = loop

    def _begin_unit(self, loop: Loop) -> None:
        self._unit = loop
        for level in self._levels:
            level.holds_units = True

    def _close(self, depth: int) -> list[Loop]:
        """Close all levels but the first so many, and the unit with the level it stands in."""
        closed: list[Loop] = []
        gone = self._levels[depth:]
        self._held = 0 if len(gone) or self._unit_level is None else self._held
        if self._unit is not None and (self._unit_level is None or self._unit in gone):
            closed.append(self._unit)
            self._unit = None
        if gone:
            del self._levels[depth:]
        self._at = self._levels[-1]
        closed += [
            each for each in reversed(gone) if not each.holds_units and each.name in _CONTEXTS
        ]
        return closed

    def _party(self, segment: Segment) -> None:
        parties = self._structure.parties
        above = self._at
        while above.parent is not None and (above.is_party or above.name not in parties):
            above = above.parent
        names = parties.get(above.name, {})
        loop = Loop(names.get(segment.get(1).upper(), names.get("", above.name)), above)
        loop.is_party = True
        loop.segments.append(segment)
        above.loops.append(loop)
        self._at = loop
