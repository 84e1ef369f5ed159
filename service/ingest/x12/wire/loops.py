"""Gathers segments into the loops of a guide, by small tables, while they stream by.

A guide says which HL levels it has, which segments open a loop, and how the parties (NM1) of a loop
are called. What is missing is implied and what is unknown is kept where it stands. Only the levels
above are held; each unit (an event, a claim) is given away when it is complete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

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
        for each in self.segments:
            if each[0][0] == segment_id:
                return each
        return None

    def within(self, *names: str) -> Iterator["Loop"]:
        """The loops of these names that stand directly in it."""
        return (each for each in self.loops if each.name in names)

    def party(self, name: str) -> "Loop | None":
        """The first loop of this name that stands directly in it."""
        for each in self.loops:
            if each.name == name:
                return each
        return None

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
    openings: Mapping[str, tuple[Opening, ...]]
    parties: Mapping[str, Mapping[str, str]]
    party_segments: frozenset[str]
    stays_above: frozenset[str]
    unit_level: Level | None = field(init=False)

    def __post_init__(self) -> None:
        """Prepare what is asked for every segment."""
        object.__setattr__(self, "unit_level", self.level_of(self.unit))

    def level_of(self, loop: str) -> Level | None:
        """The HL level that a loop is, if it is one."""
        return next((each for each in self.levels.values() if each.loop == loop), None)


HEADER = "header"

_PARTY_SEGMENTS = frozenset({"N2", "N3", "N4", "REF", "PER", "PRV"})
_EVENT_LEVELS = frozenset({"2000C", "2000D"})
_IMPLIES_EVENT = (Opening("2000E", _EVENT_LEVELS, is_implied=True),)
_IMPLIES_SERVICE = (Opening("2000F", frozenset({"2000E"}), is_implied=True),)

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
        "TRN": _IMPLIES_EVENT,
        "UM": _IMPLIES_EVENT,
        "HCR": _IMPLIES_EVENT,
        "SV1": _IMPLIES_SERVICE,
        "SV2": _IMPLIES_SERVICE,
        "SV3": _IMPLIES_SERVICE,
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
        "CLM": (Opening("2300", _CLAIM_LEVELS),),
        "SBR": (Opening("2320", _CLAIM),),
        "LX": (Opening("2400", _CLAIM),),
        "LIN": (Opening("2410", _LINE),),
        "SVD": (Opening("2430", _LINE),),
        "LQ": (Opening("2440", _LINE),),
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
