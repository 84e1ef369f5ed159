"""What makes the expectations certain: the three kinds of services have nothing in common."""

from itertools import combinations

import pytest

from authmatch_local.samples import families, organizations, specialties
from authmatch_local.samples.families import Family
from service.domain.reference import GroupTable

SOUGHT = (*families.STORY_FAMILIES, families.ABSENT, families.FACILITY_ONLY)
SOUGHT_SPECIALTIES = (*specialties.STORY_SPECIALTIES, specialties.ABSENT_SPECIALTY)
SOUGHT_DENTAL = (
    specialties.CROWN,
    specialties.FILLING,
    specialties.ROOT_CANAL,
    specialties.SCALING,
    specialties.ABSENT_DENTAL,
)

Groups = dict[str, GroupTable]


def name_of(family: Family) -> str:
    """The group, for the names of the tests."""
    return family.group


def is_covered(code: str, family: Family, groups: Groups) -> bool:
    """Whether an authorization for a family earns points for a procedure code."""
    return (
        family.first <= code <= family.last
        or family.group in groups["procedure-groups"].groups_of(code)
        or family.service_type in groups["service-types"].groups_of(code)
    )


@pytest.mark.parametrize("sought", SOUGHT, ids=name_of)
def test_no_background_family_covers_what_a_story_bills(sought: Family, groups: Groups) -> None:
    """Nor does any story's family cover what nobody authorizes."""
    others: tuple[Family, ...] = families.BACKGROUND_FAMILIES
    if sought in (families.ABSENT, families.FACILITY_ONLY):
        others += families.STORY_FAMILIES

    covering = [
        (code, other.group)
        for code in sought.codes
        for other in others
        if is_covered(code, other, groups)
    ]

    assert covering == []


@pytest.mark.parametrize("family", families.STORY_FAMILIES, ids=name_of)
def test_a_family_is_what_the_reference_tables_say(family: Family, groups: Groups) -> None:
    """All its codes are in its group and service type; its mates are near, and not the same."""
    for code in family.codes:
        assert family.group in groups["procedure-groups"].groups_of(code)
        assert family.service_type in groups["service-types"].groups_of(code)
    assert family.diagnosis[:3] == family.diagnosis_mate[:3]
    assert family.diagnosis != family.diagnosis_mate
    assert family.revenue[:3] == family.revenue_mate[:3]
    places = groups["place-classes"]
    assert set(places.groups_of(family.place)) & set(places.groups_of(family.place_mate))
    assert family.diagnosis[:3] != families.OTHER_DIAGNOSIS[:3]


def test_story_families_do_not_cover_each_other(groups: Groups) -> None:
    """Two services on one claim never earn points for each other's procedure by range or group."""
    by_group = groups["procedure-groups"]

    for one, other in combinations(families.STORY_FAMILIES, 2):
        assert not any(other.first <= code <= other.last for code in one.codes)
        assert not any(other.group in by_group.groups_of(code) for code in one.codes)


def test_the_modifiers_of_stories_are_significant(groups: Groups) -> None:
    """And those that must not count are informational."""
    informational = groups["informational-modifiers"].groups["informational"].members

    assert set(families.INFORMATIONAL_MODIFIERS) <= set(informational)
    assert not {m for f in families.STORY_FAMILIES for m in f.modifiers} & set(informational)


def test_specialties_have_parents_of_their_own(groups: Groups) -> None:
    """A subspecialty has its specialty's parent, the background other parents than any story."""
    parents = groups["specialty-parents"]
    told = {f.taxonomy for f in families.STORY_FAMILIES}
    sought = {p for t in told for p in parents.groups_of(t)}
    for each in SOUGHT_SPECIALTIES:
        assert parents.groups_of(each.taxonomy) == parents.groups_of(each.subspecialty) != ()
        sought |= set(parents.groups_of(each.taxonomy))

    for each in specialties.BACKGROUND_SPECIALTIES:
        assert parents.groups_of(each.taxonomy)
        assert not sought & set(parents.groups_of(each.taxonomy))


def test_dental_families_share_no_category(groups: Groups) -> None:
    """What stories bill and what the background authorizes are of different categories."""
    categories = groups["dental-categories"]
    sought = {c for f in SOUGHT_DENTAL for code in f.codes for c in categories.groups_of(code)}

    for family in specialties.BACKGROUND_DENTAL:
        for code in family.codes:
            assert not sought & set(categories.groups_of(code))


def test_teeth_and_codes_are_what_the_reference_tables_say(groups: Groups) -> None:
    """Crowns, root canals and fillings are billed by tooth, scalings by quadrant."""
    for tooth, quadrant in specialties.QUADRANTS.items():
        table = groups["tooth-quadrants"].groups
        assert quadrant in table[tooth].members
        assert specialties.ARCHES[quadrant] in groups["oral-cavity-arches"].groups[quadrant].members
        assert quadrant in table[specialties.NEIGHBOR[tooth]].members
    for family in (specialties.CROWN, specialties.ROOT_CANAL, specialties.FILLING):
        assert all(groups["per-tooth-codes"].groups_of(code) for code in family.codes)
        assert not any(groups["per-quadrant-codes"].groups_of(code) for code in family.codes)
    assert all(groups["per-quadrant-codes"].groups_of(code) for code in specialties.SCALING.codes)
    assert not any(groups["per-tooth-codes"].groups_of(code) for code in specialties.SCALING.codes)


def test_organizations_share_no_identifier() -> None:
    """Every NPI and taxpayer number belongs to one of them."""
    everyone = organizations.all_organizations()
    npis = [
        npi
        for each in everyone
        for npi in (*each.clinicians, each.billing, each.facility, each.second_facility)
    ]

    assert len(set(npis)) == len(npis)
    assert len({each.tin for each in everyone}) == len(everyone)


def test_an_npi_passes_its_check() -> None:
    """The example of the standard: 1234567893."""
    assert organizations.check_digit("80840123456789") == "3"
    assert all(len(organizations.npi(serial)) == 10 for serial in range(100))
