"""Gathers segments into the loops of a guide, by small tables, while they stream by.

A guide says which HL levels it has, which segments open a loop, and how the parties (NM1) of a loop
are called. What is missing is implied and what is unknown is kept where it stands. Only the levels
above are held; each unit (an event, a claim) is given away when it is complete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.segment import Segment


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
        return next(self.all(segment_id), None)

    def within(self, *names: str) -> Iterator["Loop"]:
        """The loops of these names that stand directly in it."""
        return (each for each in self.loops if each.name in names)

    def whole(self) -> Iterator["Loop"]:
        """Itself and the loops within it, however deep, in their order."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            yield one
            waiting += one.loops[::-1]

    def party(self, name: str) -> "Loop | None":
        """The first loop of this name that stands directly in it."""
        return next(self.within(name), None)

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
    openings: Mapping[str, Opening]
    parties: Mapping[str, Mapping[str, str]]
    party_segments: frozenset[str]
    stays_above: frozenset[str]

    def level_of(self, loop: str) -> Level | None:
        """The HL level that a loop is, if it is one."""
        return next((each for each in self.levels.values() if each.loop == loop), None)


HEADER = "header"

_PARTY_SEGMENTS = frozenset({"N2", "N3", "N4", "REF", "PER", "PRV"})
_EVENT_LEVELS = frozenset({"2000C", "2000D"})
_IMPLIES_EVENT = Opening("2000E", _EVENT_LEVELS, is_implied=True)
_IMPLIES_SERVICE = Opening("2000F", frozenset({"2000E"}), is_implied=True)

REVIEW = Structure(
    unit="2000E",
    levels={
        "20": Level("2000A", 0),
        "21": Level("2000B", 1, frozenset({"2000A"})),
        "22": Level("2000C", 2, frozenset({"2000B"})),
        "23": Level("2000D", 3, frozenset({"2000C"})),
        "EV": Level("2000E", 4, _EVENT_LEVELS),
        "SS": Level("2000F", 5, frozenset({"2000E"})),
    },
    openings={
        **dict.fromkeys(("TRN", "UM", "HCR"), _IMPLIES_EVENT),
        **dict.fromkeys(("SV1", "SV2", "SV3"), _IMPLIES_SERVICE),
    },
    parties={
        "2000A": {"": "2010A"},
        "2000B": {"": "2010B"},
        "2000C": {"": "2010C"},
        "2000D": {"": "2010D"},
        "2000E": {"": "2010EA", "45": "2010EC", "FS": "2010EC", "ND": "2010EC", "PW": "2010EC"},
        "2000F": {"": "2010FA"},
    },
    party_segments=_PARTY_SEGMENTS | {"AAA", "DMG", "INS"},
    stays_above=frozenset({"BB", "NT"}),
)

_CLAIM_LEVELS = frozenset({"2000A", "2000B", "2000C", HEADER})
_CLAIM = frozenset({"2300"})
_LINE = frozenset({"2400"})

CLAIM = Structure(
    unit="2300",
    levels={
        "20": Level("2000A", 0),
        "22": Level("2000B", 1, frozenset({"2000A"})),
        "23": Level("2000C", 2, frozenset({"2000B"})),
    },
    openings={
        "CLM": Opening("2300", _CLAIM_LEVELS),
        "SBR": Opening("2320", _CLAIM),
        "LX": Opening("2400", _CLAIM),
        "LIN": Opening("2410", _LINE),
        "SVD": Opening("2430", _LINE),
        "LQ": Opening("2440", _LINE),
    },
    parties={
        HEADER: {"": "1000", "41": "1000A", "40": "1000B"},
        "2000A": {"": "2010A", "85": "2010AA", "87": "2010AB", "PE": "2010AC"},
        "2000B": {"": "2010B", "IL": "2010BA", "PR": "2010BB", "QC": "2010CA"},
        "2000C": {"": "2010C", "QC": "2010CA"},
        "2300": {"": "2310"},
        "2320": {"": "2330"},
        "2400": {"": "2420"},
    },
    party_segments=_PARTY_SEGMENTS | {"DMG"},
    stays_above=frozenset({"G1", "9F", "G3", "F8"}),
)

SEGMENTS_MAX = 50_000
"""A claim of 999 lines has some thousands; of one with more than this the rest is not held."""

_HEADER = Level(HEADER, rank=-1)
_UNKNOWN = Level("2000", rank=99)
_CONTEXTS = frozenset({"2000A", "2000B", "2000C", "2000D"})


class Walker:
    """Takes the segments of a transaction set one by one; gives the loops that are complete."""

    def __init__(self, structure: Structure, findings: Findings, start: int = 0) -> None:
        self._structure = structure
        self._openings = structure.openings
        self._unit_level = structure.level_of(structure.unit)
        self.findings = findings
        self.header = LevelLoop(_HEADER, None)
        self._levels: list[LevelLoop] = [self.header]
        self._unit: Loop | None = None
        self.last = start  # the ordinal of the last segment that was taken
        self._has_overflowed = False
        self._limit = start + SEGMENTS_MAX
        self._at: Loop = self.header
        self._stand_at(self.header)

    def take(self, segment: Segment) -> list[Loop]:
        """Put a segment where it belongs; give units and levels that it completes."""
        name = segment.elements[0]
        self.last = segment.ordinal
        if segment.ordinal > self._limit and self._is_beyond(name, segment):
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
        at = self._at
        if at.is_party and not self._belongs_to_party(name, segment):
            at = at.parent or self.header
            self._stand_at(at)
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
        own, above, kind = segment.get(1), segment.get(2), segment.get(3)
        level = self._structure.levels.get(kind) or self._structure.levels.get(kind.upper())
        if level is None:
            self.findings.add("hl-level", segment, 3, loop=self._at.name)
            level = _UNKNOWN
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
        self._enter(level).hl = own
        self._at.segments.append(segment)
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
            if each.name in under:
                if named and each.hl == named:
                    return place
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
