"""Specialties for referrals, and dental services: the same three kinds as the families."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Specialty:
    """A discipline by taxonomy, with a subspecialty of the same parent, and a reason to see it."""

    taxonomy: str
    subspecialty: str
    diagnosis: str


@dataclass(frozen=True, slots=True)
class DentalFamily:
    """Dental codes of one range and group."""

    codes: tuple[str, ...]
    group: str
    price: int

    @property
    def first(self) -> str:
        """The lowest code of the range."""
        return self.codes[0]

    @property
    def last(self) -> str:
        """The highest code of the range."""
        return self.codes[-1]


STORY_SPECIALTIES = (
    Specialty("207RC0000X", "207RI0011X", "I25.10"),
    Specialty("207N00000X", "207ND0101X", "L40.0"),
    Specialty("207X00000X", "207XX0005X", "M75.101"),
    Specialty("2084N0400X", "2084N0402X", "G43.909"),
    Specialty("207RG0100X", "207RI0008X", "K21.9"),
)
BACKGROUND_SPECIALTIES = (
    Specialty("207W00000X", "207WX0107X", "H35.30"),
    Specialty("213E00000X", "213ES0103X", "L60.0"),
    Specialty("207RE0101X", "2080P0205X", "E05.90"),
    Specialty("208800000X", "2088P0231X", "N40.1"),
    Specialty("207RN0300X", "2080P0210X", "N18.30"),
)
ABSENT_SPECIALTY = Specialty("207RR0500X", "2080P0216X", "M06.9")
CONSULTATION = ("99242", "99243", "99244")
OFFICE_VISIT = ("99213", "99214")

CROWN = DentalFamily(("D2710", "D2740", "D2750", "D2790"), "dental-crowns", 1_150)
FILLING = DentalFamily(("D2391", "D2392", "D2393"), "dental-fillings", 240)
ROOT_CANAL = DentalFamily(("D3310", "D3320", "D3330"), "dental-endodontics", 980)
SCALING = DentalFamily(("D4341", "D4342"), "dental-periodontics", 260)

TOOTH_FAMILIES = (CROWN, ROOT_CANAL)
BACKGROUND_DENTAL = (
    DentalFamily(("D0220", "D0330"), "dental-diagnostic", 90),
    DentalFamily(("D1110", "D1206"), "dental-preventive", 85),
    DentalFamily(("D5110", "D5120", "D5213"), "dental-dentures", 1_600),
    DentalFamily(("D7140", "D7210"), "dental-extractions", 190),
    DentalFamily(("D9222", "D9230"), "dental-adjunctive", 150),
)
ABSENT_DENTAL = DentalFamily(("D8080", "D8090"), "dental-orthodontics", 4_800)

QUADRANTS = {"3": "10", "14": "20", "19": "30", "30": "40"}
"""A tooth of each quadrant."""

NEIGHBOR = {"3": "4", "14": "15", "19": "20", "30": "29"}
"""The tooth beside it."""

ARCHES = {"10": "01", "20": "01", "30": "02", "40": "02"}
