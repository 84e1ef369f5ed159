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
    """A loop: its own segments and the loops within it; ``role`` is that of a party (NM101).

    ``quiet`` are the segments that do nothing in it but stand there.
    """

    __slots__ = ("is_party", "loops", "name", "parent", "quiet", "role", "segments")

    rank: int = 0
    hl: str = ""
    is_implied: bool = False
    holds_units: bool = False
    billing: Any = None

    def __init__(
        self, name: str, parent: "Loop | None", quiet: frozenset[str], role: str | None = None
    ) -> None:
        self.name = name
        self.parent = parent
        self.quiet = quiet
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
        """Give its segments of one id."""
        return (each for each in self.segments if each.elements[0] == segment_id)

    def first(self, segment_id: str) -> Segment | None:
        """Give its first segment of one id."""
        for each in self.segments:
            if each[0][0] == segment_id:
                return each
        return None

    def within(self, *names: str) -> Iterator["Loop"]:
        """Give the loops of these names that stand directly in it."""
        return (each for each in self.loops if each.name in names)

    def party(self, name: str) -> "Loop | None":
        """Give the first loop of this name that stands directly in it."""
        for each in self.loops:
            if each.name == name:
                return each
        return None

    def above(self, name: str) -> "Loop | None":
        """Give the level of this name that it stands under."""
        loop = self.parent
        while loop is not None and loop.name != name:
            loop = loop.parent
        return loop


class LevelLoop(Loop):
    """The loop of an HL level, or the header of the transaction set."""

    __slots__ = ("billing", "hl", "holds_units", "is_implied", "rank")

    def __init__(
        self,
        level: "Level",
        parent: Loop | None,
        quiet: frozenset[str],
        *,
        is_implied: bool = False,
    ) -> None:
        # As ``Loop`` does, without the call: levels are made as often as anything here.
        self.name = level.loop
        self.parent = parent
        self.quiet = quiet
        self.role = None
        self.is_party = False
        self.segments = []
        self.loops = []
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
    quiet: "Quiet" = field(init=False)
    unit_level: Level | None = field(init=False)

    def __post_init__(self) -> None:
        """Prepare what is asked for every segment."""
        object.__setattr__(self, "quiet", Quiet(self))
        object.__setattr__(self, "unit_level", self.level_of(self.unit))

    def level_of(self, loop: str) -> Level | None:
        """Give the HL level that a loop is, if it is one."""
        return next((each for each in self.levels.values() if each.loop == loop), None)

    def quiet_in(self, loop: str) -> frozenset[str]:
        """Give the segments that open nothing in a loop (a party is another thing)."""
        loud = {
            name
            for name, openings in self.openings.items()
            if any(not each.is_implied or loop in each.inside for each in openings)
        }
        return _COMMON - loud


HEADER = "header"

_NAMES = (
    "AMT BHT CAS CL1 CLM CN1 CR1 CR2 CR4 CR5 CR6 CR7 CR8 CRC CTP CUR DMG DTP FRM HCP HCR HI HSD "
    "INS K3 LIN LQ LX MEA MIA MOA MSG N2 N3 N4 NTE OI PAT PER PRV PS1 PWK QTY REF SBR SV1 SV2 SV3 "
    "SV4 SV5 SVD TOO TRN UM"
)
_COMMON = frozenset(_NAMES.split())
"""The segments of the guides but those of the envelopes, HL and NM1: they may do nothing."""


class Quiet:
    """What is quiet in each loop of a structure, found once."""

    __slots__ = ("_in_loops", "_structure", "in_party")

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._in_loops: dict[str, frozenset[str]] = {}
        self.in_party = structure.party_segments - {"REF", "AAA", *structure.openings}

    def within(self, loop: str) -> frozenset[str]:
        """Give the quiet segments of a loop."""
        found = self._in_loops.get(loop)
        if found is None:
            found = self._in_loops[loop] = self._structure.quiet_in(loop)
        return found


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
