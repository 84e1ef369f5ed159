"""The loops of the 278 review and of the 837 claims, as tables (005010X217, X222, X223, X224)."""

from service.ingest.x12.wire.loops import HEADER, Level, Opening, Structure

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
