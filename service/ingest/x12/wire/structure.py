"""The guides as tables: which loops they have, what opens them, which segments may stand there.

Both directions of a 278 (and X215, X216) share one table, and so do the three kinds of 837: what
one of them allows is no fault in another.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """An HL level (HL03): its loop, its depth, and the loops that it may stand under."""

    loop: str
    rank: int
    under: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Opening:
    """A segment that opens a loop where one of ``inside`` is open.

    An implied one is a level whose own HL segment is missing; it opens another such level where the
    open one has a segment of ``again`` already.
    """

    loop: str
    inside: frozenset[str]
    is_implied: bool = False
    again: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """The loops of a guide; ``unit`` is the one that is given away when it is complete.

    ``parties`` names the loops that an NM1 opens, by the loop around it and NM101; ``stays_above``
    are REF qualifiers that belong to the loop around a party although they stand behind it.
    ``segments`` are what may stand in each other loop.
    """

    unit: str
    levels: Mapping[str, Level]
    openings: Mapping[str, Opening]
    parties: Mapping[str, Mapping[str, str]]
    party_segments: frozenset[str]
    stays_above: frozenset[str]
    segments: Mapping[str, frozenset[str]]

    def level_of(self, loop: str) -> Level | None:
        """The HL level that a loop is, if it is one."""
        return next((each for each in self.levels.values() if each.loop == loop), None)


def _ids(text: str) -> frozenset[str]:
    return frozenset(text.split())


HEADER = "header"
UNKNOWN = "2000"
"""The loop of an HL level that no guide has."""

_PARTY_SEGMENTS = frozenset({"N2", "N3", "N4", "REF", "PER", "PRV"})
_EVENT_LEVELS = frozenset({"2000C", "2000D"})
_DECIDES = frozenset({"UM", "HCR"})
_SERVICES = frozenset({"SV1", "SV2", "SV3"})
_ABOVE_EVENT = _EVENT_LEVELS | {HEADER, "2000A", "2000B"}
"""Under the last three there is no patient: what is decided there is left out, and not lost."""
_IMPLIES_SERVICE = Opening("2000F", frozenset({"2000E"}), is_implied=True, again=_SERVICES)
_OF_REVIEW = _ids(
    "HL TRN AAA UM HCR REF DTP HI HSD CRC CL1 CR1 CR2 CR4 CR5 CR6 CR7 CR8 PWK MSG NTE"
)

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
        # A trace may stand before an event that is implied, and does not imply one itself.
        "TRN": Opening("2000E", frozenset(), is_implied=True, again=_DECIDES),
        "UM": Opening("2000E", _ABOVE_EVENT, is_implied=True, again=frozenset({"UM"})),
        "HCR": Opening("2000E", _ABOVE_EVENT, is_implied=True, again=frozenset({"HCR"})),
        **dict.fromkeys(_SERVICES, _IMPLIES_SERVICE),
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
    segments={
        HEADER: _ids("BHT"),
        **dict.fromkeys(("2000A", "2000B"), _ids("HL AAA")),
        **dict.fromkeys(("2000C", "2000D"), _ids("HL AAA TRN")),
        "2000E": _OF_REVIEW,
        "2000F": _OF_REVIEW | _SERVICES | {"TOO"},
    },
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
    segments={
        HEADER: _ids("BHT REF"),
        "2000A": _ids("HL PRV CUR"),
        "2000B": _ids("HL SBR PAT"),
        "2000C": _ids("HL PAT"),
        "2300": _ids(
            "CLM DTP CL1 PWK CN1 AMT REF K3 NTE CR1 CR2 CR3 CR5 CR6 CRC HI HCP QTY DN1 DN2 DSB"
        ),
        "2320": _ids("SBR CAS AMT DMG OI MIA MOA DTP REF"),
        "2400": _ids(
            "LX SV1 SV2 SV3 SV5 TOO PWK CR1 CR3 CR5 CRC DTP QTY MEA CN1 REF AMT K3 NTE PS1 HCP HSD"
        ),
        "2410": _ids("LIN CTP REF"),
        "2430": _ids("SVD CAS DTP AMT"),
        "2440": _ids("LQ FRM"),
    },
)

KNOWN = frozenset().union(
    *(ids for each in (REVIEW, CLAIM) for ids in (*each.segments.values(), each.party_segments)),
    {"NM1", *REVIEW.openings, *CLAIM.openings},
)
"""Every segment that one of the guides has."""
