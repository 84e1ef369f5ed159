"""Families of services: what stories are about, what fills the background, what nobody authorizes.

The three kinds share no code, no group and no service type (the tests ask the reference tables), so
that a claim of one kind earns no points for its procedure on an authorization of another.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A service, with what would stand near it on a claim: its mates match in part only."""

    codes: tuple[str, ...]
    group: str
    service_type: str | None
    diagnosis: str
    diagnosis_mate: str
    taxonomy: str
    place: str
    place_mate: str
    revenue: str
    revenue_mate: str
    modifiers: tuple[str, ...] = ()
    unit: str = "UN"
    price: int = 100
    is_ruled: bool = False
    """Whether the shipped decision table says that a claim for it needs an authorization."""

    @property
    def first(self) -> str:
        """The lowest code of the family's range."""
        return self.codes[0]

    @property
    def last(self) -> str:
        """The highest code of the family's range."""
        return self.codes[-1]


THERAPY = Family(
    ("97110", "97112", "97116", "97140"), "therapy", "PT", "M54.50", "M54.16", "225100000X",
    "11", "02", "0420", "0421", ("GP",), price=60, is_ruled=True,
)  # fmt: skip
COUNSELING = Family(
    ("90832", "90834", "90837", "90838"), "behavioral-health", "MH", "F33.1", "F33.2",
    "103TC0700X", "11", "10", "0914", "0915", price=140,
)  # fmt: skip
SCAN = Family(
    ("71250", "71260", "71270", "71275"), "imaging-ct", "62", "R91.1", "R91.8", "2085R0202X",
    "22", "19", "0352", "0351", price=650, is_ruled=True,
)  # fmt: skip
KNEE_IMAGE = Family(
    ("73721", "73722", "73723"), "imaging-mri", "62", "M23.91", "M23.92", "2085R0204X",
    "22", "19", "0614", "0610", ("LT",), price=900, is_ruled=True,
)  # fmt: skip
KNEE_REPLACEMENT = Family(
    ("27445", "27446", "27447"), "surgery-joint-replacement", "2", "M17.11", "M17.12",
    "207XS0114X", "24", "25", "0360", "0361", ("RT",), price=9_800, is_ruled=True,
)  # fmt: skip
AIRWAY_DEVICE = Family(
    ("E0601", "E0602"), "dme", "DM", "G47.33", "G47.31", "332B00000X",
    "12", "14", "0291", "0292", ("RR",), "MO", 85, is_ruled=True,
)  # fmt: skip
SLEEP_STUDY = Family(
    ("95805", "95807", "95810", "95811"), "sleep-studies", "73", "G47.10", "G47.19",
    "207RS0012X", "11", "02", "0920", "0929", price=720, is_ruled=True,
)  # fmt: skip

STORY_FAMILIES = (
    THERAPY, COUNSELING, SCAN, KNEE_IMAGE, KNEE_REPLACEMENT, AIRWAY_DEVICE, SLEEP_STUDY,
)  # fmt: skip
OUTPATIENT_FAMILIES = (THERAPY, COUNSELING, SCAN, KNEE_IMAGE, KNEE_REPLACEMENT, SLEEP_STUDY)
SIDED_FAMILIES = (KNEE_IMAGE, KNEE_REPLACEMENT)

BACKGROUND_FAMILIES = (
    Family(("80053", "80061", "83036", "85025"), "lab", "5", "E11.9", "E11.65", "207ZP0102X",
           "81", "81", "0301", "0305", price=30),
    Family(("96365", "96366", "96367"), "infusion", "1", "K50.90", "K50.10", "207RG0100X",
           "11", "22", "0335", "0331", price=210),
    Family(("98940", "98941", "98942"), "chiropractic", "33", "M99.01", "M99.03", "111N00000X",
           "11", "11", "0940", "0949", ("AT",), "VS", 45),
    Family(("97810", "97811", "97813", "97814"), "acupuncture", "64", "M62.40", "M62.49",
           "171100000X", "11", "11", "0940", "0949", unit="VS", price=55),
    Family(("90935", "90937", "90945"), "dialysis", "76", "N18.6", "N18.5", "207RN0300X",
           "65", "65", "0821", "0829", price=300),
    Family(("77385", "77386", "77412"), "radiation", "6", "C50.911", "C50.912", "2085R0001X",
           "22", "19", "0333", "0339", price=1_100),
    Family(("G0299", "G0300"), "home-health", "42", "L89.154", "L89.153", "251E00000X",
           "12", "12", "0551", "0559", unit="VS", price=130),
    Family(("T1019", "T1020"), "personal-care", None, "R26.89", "R26.81", "251J00000X",
           "12", "12", "0570", "0579", unit="HS", price=25),
    Family(("92557", "92567"), "hearing", "71", "H90.3", "H90.5", "231H00000X",
           "11", "11", "0471", "0472", price=70),
    Family(("92012", "92014"), "vision", "AL", "H25.11", "H25.12", "152W00000X",
           "11", "11", "0519", "0510", price=90),
    Family(("A0426", "A0428", "A0429"), "transport-ground", "56", "Z74.01", "Z74.09", "341600000X",
           "41", "41", "0540", "0545", price=380),
    Family(("92507", "92508"), "speech-therapy", "AF", "R47.01", "R47.1", "235Z00000X",
           "11", "02", "0440", "0441", ("GN",), "VS", 80),
)  # fmt: skip

ABSENT = Family(
    ("G0277",), "hyperbaric", None, "L97.509", "L97.519",
    "2083P0011X", "22", "19", "0413", "0410", price=310, is_ruled=True,
)  # fmt: skip
"""No authorization of any setting names it."""

FACILITY_ONLY = Family(
    ("G0237", "G0238", "G0239"), "pulmonary-rehabilitation", "BF", "J44.9", "J44.1",
    "207RP1001X", "19", "22", "0948", "0943", price=65, is_ruled=True,
)  # fmt: skip
"""Authorized for facilities, never for a professional."""

OTHER_DIAGNOSIS = "H66.90"
INFORMATIONAL_MODIFIERS = ("59", "76", "XS", "KX")
OTHER_SIDE = {"LT": "RT", "RT": "LT"}
BOTH_SIDES = "50"
PURCHASE = "NU"
