"""Gathers segments into the loops of a guide, by small tables, while they stream by.

A guide says which HL levels it has, which segments open a loop, and how the parties (NM1) of a loop
are called. What is missing is implied and what is unknown is kept where it stands. Only the levels
above are held; each unit (an event, a claim) is given away when it is complete.
"""

from collections.abc import Iterator
from typing import Any

from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.segment import Segment
from service.ingest.x12.wire.structure import HEADER, KNOWN, UNKNOWN, Level, Opening, Structure


class Loop:
    """A loop: its own segments and the loops within it; ``role`` is that of a party (NM101)."""

    __slots__ = ("is_party", "loops", "name", "parent", "role", "segments")

    rank: int = 0
    hl: str = ""
    is_implied: bool = False
    holds_units: bool = False
    billing: Any = None

    def __init__(self, name: str, parent: "Loop | None", role: str | None = None) -> None:
        self.name = name
        self.parent = parent
        self.role = role
        self.is_party = role is not None
        self.segments: list[Segment] = []
        self.loops: list[Loop] = []

    @property
    def start(self) -> Segment | None:
        """Its first segment; an implied loop may have none of its own."""
        if self.segments:
            return self.segments[0]
        return next((each.start for each in self.loops if each.start), None)

    def all(self, segment_id: str) -> Iterator[Segment]:
        """Its segments of one id."""
        return (each for each in self.segments if each.elements[0] == segment_id)

    def first(self, segment_id: str) -> Segment | None:
        """Its first segment of one id."""
        for each in self.segments:
            if each.elements[0] == segment_id:
                return each
        return None

    def within(self, *names: str) -> list["Loop"]:
        """The loops of these names that stand directly in it."""
        return [each for each in self.loops if each.name in names]

    def whole(self) -> Iterator["Loop"]:
        """Itself and the loops within it, however deep, in their order."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            yield one
            if one.loops:
                waiting += one.loops[::-1]

    def party(self, name: str) -> "Loop | None":
        """The first loop of this name that stands directly in it."""
        for each in self.loops:
            if each.name == name:
                return each
        return None

    def ancestors(self) -> Iterator["Loop"]:
        """The loops that it stands under, the nearest first."""
        loop = self.parent
        while loop is not None:
            yield loop
            loop = loop.parent

    def above(self, name: str) -> "Loop | None":
        """The level of this name that it stands under."""
        loop = self.parent
        while loop is not None and loop.name != name:
            loop = loop.parent
        return loop


class LevelLoop(Loop):
    """The loop of an HL level, or the header of the transaction set."""

    __slots__ = ("billing", "hl", "holds_units", "is_implied", "rank")

    def __init__(self, level: "Level", parent: Loop | None, *, is_implied: bool = False) -> None:
        super().__init__(level.loop, parent)
        self.rank = level.rank
        self.hl = ""
        self.is_implied = is_implied
        self.holds_units = False
        self.billing = None


SEGMENTS_MAX = 50_000
"""A claim of 999 lines has some thousands; of one with more than this the rest is not held."""

_TRACE, _REFUSES = "TRN", "AAA"
_HEADER = Level(HEADER, rank=-1)
_UNKNOWN = Level(UNKNOWN, rank=99)
_UNKNOWN_ABOVE = Level(UNKNOWN, rank=3)
"""An unknown level that is in no unit: units stand under it, and not under what is above it."""
_CONTEXTS = frozenset({"2000A", "2000B", "2000C", "2000D"})


class Walker:
    """Takes the segments of a transaction set one by one; gives the loops that are complete.

    ``has_unknown_levels`` and ``has_refusals`` (AAA) say what came so far: most sets have neither,
    and need not be looked through for them.
    """

    def __init__(self, structure: Structure, findings: Findings, start: int = 0) -> None:
        self._structure = structure
        self._openings = structure.openings
        self._of_party = structure.party_segments
        self._unit_level = structure.level_of(structure.unit)
        self.findings = findings
        self.header = LevelLoop(_HEADER, None)
        self._levels: list[LevelLoop] = [self.header]
        self._unit: Loop | None = None
        self.last = start  # the ordinal of the last segment that was taken
        self._has_overflowed = False
        self.has_unknown_levels = False
        self.has_refusals = False
        self._limit = start + SEGMENTS_MAX
        self._at: Loop = self.header
        self._allowed = KNOWN
        self._stand_at(self.header)

    def take(self, segment: Segment) -> list[Loop]:
        """Put a segment where it belongs; give units and levels that it completes."""
        name = segment[0][0]
        self.last = ordinal = segment[1]
        if ordinal > self._limit and self._is_beyond(name, segment):
            return []
        if name == "NM1":
            self._party(segment)
            return []
        if name == "HL":
            return self._level(segment)
        if name in self._openings:
            opening = self._openings[name]
            above = self._inside(opening)
            if above is not None:
                return self._open(opening, above, segment)
        if name == _REFUSES:
            self.has_refusals = True
        at = self._at
        if at.is_party:
            if name not in self._of_party or (name == "REF" and self._stays_above(segment)):
                at = self._beside_party(name, segment)
        elif name not in self._allowed:
            self._misplaced(name, segment)
        at.segments.append(segment)
        return []

    def end(self) -> list[Loop]:
        """What is still open."""
        return self._close(1)

    def overflowed(self) -> bool:
        """Whether segments were left out since this was asked: there were too many to hold."""
        overflowed, self._has_overflowed = self._has_overflowed, False
        return overflowed

    def _stand_at(self, loop: Loop) -> None:
        if self._at.is_party:
            self._at.parent = None  # it is not asked again (see ``_parted``)
        self._at = loop
        self._allowed = self._structure.segments.get(loop.name, KNOWN)

    def _beside_party(self, name: str, segment: Segment) -> Loop:
        """Find where a segment goes that is none of the open party: what is in no place stays.

        So it takes no other segment of the party with it.
        """
        party = self._at
        above = party.parent or self.header
        if name in self._structure.segments.get(above.name, KNOWN):
            self._stand_at(above)
            return above
        self._misplaced(name, segment)
        return party

    def _misplaced(self, name: str, segment: Segment) -> None:
        code = "segment-misplaced" if name in KNOWN else "segment-unknown"
        self.findings.add(code, segment, loop=self._at.name)

    def _is_beyond(self, name: str, segment: Segment) -> bool:
        """Whether a segment is one too many of the unit that is open: it is not held."""
        if name == "HL":
            level = self._structure.levels.get(segment.get(3).upper(), _UNKNOWN)
            is_within = self._unit_level is not None and level.rank > self._unit_level.rank
            if self._unit is None or not is_within:
                return False
        if not self._has_overflowed:
            self._has_overflowed = True
            self.findings.add("unit-too-long", segment, loop=self._at.name)
        return True

    def _stays_above(self, reference: Segment) -> bool:
        return reference.get(1).upper() in self._structure.stays_above

    def _inside(self, opening: Opening) -> Loop | None:
        """Find the loop that a segment opens one in: not beyond the level that is open."""
        level = self._levels[-1]
        if self._unit is None and level.name == UNKNOWN and opening.loop == self._structure.unit:
            return level
        if opening.is_implied:
            if level.is_implied and level.name == opening.loop:
                has = any(each.elements[0] in opening.again for each in level.segments)
                return level if has else None
            return level if level.name in opening.inside else None
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
            traces = [each for each in above.segments if each.elements[0] == _TRACE]
            is_first = above.name != opening.loop
            self._enter(level, is_implied=True)
            if is_first and traces:
                above.segments = [each for each in above.segments if each not in traces]
                self._at.segments += traces
        else:
            loop = Loop(opening.loop, above)
            if opening.loop == self._structure.unit:
                closed = self._close(len(self._levels))
                self._begin_unit(loop)
            else:
                above.loops.append(loop)
            self._stand_at(loop)
        self._at.segments.append(segment)
        return closed

    def _level(self, segment: Segment) -> list[Loop]:
        own, above, kind = segment.texts(3)
        level = self._structure.levels.get(kind) or self._structure.levels.get(kind.upper())
        if level is None:
            self.findings.add("hl-level", segment, 3, loop=self._at.name)
            level = _UNKNOWN
            self.has_unknown_levels = True
        depth = self._place_under(above, segment, level) + 1
        closed: list[Loop] = []
        if len(self._levels) > depth or self._unit_level is None:
            closed = self._close(depth)
        elif self._unit is None:
            self._limit = segment.ordinal + SEGMENTS_MAX
        unit = self._unit_level
        if unit and level.under and self._levels[-1].rank < unit.rank < level.rank:
            self.findings.add("loop-implied", segment, loop=unit.loop)
            self._enter(unit, is_implied=True)
        is_above = level is _UNKNOWN and self._unit is None
        loop = self._enter(_UNKNOWN_ABOVE if is_above else level)
        loop.hl = own
        if level is self._unit_level and loop.parent is not None:
            for each in loop.parent.all(_TRACE):
                self.findings.add("segment-misplaced", each, loop=loop.parent.name)
        loop.segments.append(segment)
        return closed

    def _place_under(self, named: str, segment: Segment, level: Level) -> int:
        """Find the level that an HL stands under: by HL02, else by order."""
        under, rank = level.under, level.rank
        above = fit = -1
        for place in range(len(self._levels) - 1, -1, -1):
            each = self._levels[place]
            if each.rank >= rank:
                continue
            above = max(above, place)
            is_named = bool(named) and each.hl == named
            if is_named and (each.name in under or (each.name == UNKNOWN and fit < 0)):
                return place
            if each.name in under:
                fit = max(fit, place)
        if fit < 0:
            # None of those that it may stand under is open: any higher one that it names will do.
            for place in range(above, -1, -1):
                if named and self._levels[place].rank < rank and self._levels[place].hl == named:
                    return place
        if named or under:
            self.findings.add("hl-parent", segment, 2, loop=level.loop)
        return fit if fit >= 0 else above

    def _enter(self, level: Level, *, is_implied: bool = False) -> LevelLoop:
        loop = LevelLoop(level, self._levels[-1], is_implied=is_implied)
        if level is self._unit_level:
            self._begin_unit(loop)
        elif self._unit is not None:
            self._levels[-1].loops.append(loop)
        self._levels.append(loop)
        self._stand_at(loop)
        return loop

    def _begin_unit(self, loop: Loop) -> None:
        self._unit = loop
        for level in self._levels:
            level.holds_units = True

    def _close(self, depth: int) -> list[Loop]:
        """Close all levels but the first so many, and the unit with the level it stands in."""
        closed: list[Loop] = []
        gone = self._levels[depth:]
        if self._unit is not None and (self._unit_level is None or self._unit in gone):
            closed.append(_parted(self._unit))
            self._unit = None
        if self._unit is None:
            self._limit = self.last + SEGMENTS_MAX
        if gone:
            del self._levels[depth:]
            for each in gone[::-1]:
                if not each.holds_units and each.name in _CONTEXTS:
                    closed.append(each)
        self._stand_at(self._levels[-1])
        return closed

    def _party(self, segment: Segment) -> None:
        parties = self._structure.parties
        above = self._at
        while above.parent is not None and (above.is_party or above.name not in parties):
            above = above.parent
        names = parties.get(above.name, {})
        role = segment.get(1).upper()
        name = names.get(role) or names.get("", above.name)
        loop = Loop(name, above, role)
        loop.segments.append(segment)
        above.loops.append(loop)
        self._stand_at(loop)


def _parted(unit: Loop) -> Loop:
    """Cut the ways back within a unit: without circles its memory is free when nobody asks more."""
    waiting = [unit]
    while waiting:
        loops = waiting.pop().loops
        for each in loops:
            each.parent = None
        waiting += loops
    return unit
