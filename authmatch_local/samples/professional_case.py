"""An authorized professional service, and the claim of exactly that service: 90 of 90 points."""

from authmatch_local.samples.case import Case
from authmatch_local.samples.families import STORY_FAMILIES, Family
from authmatch_local.samples.organizations import Organization
from authmatch_local.samples.papers import Json, limits
from authmatch_local.samples.scene import Scene

FIRST_DAY, LAST_DAY = 10, 68
"""The authorized days of a slot, so that what lies around them still falls into the slot."""

_UNITS = 24


def visit(scene: Scene, family: Family | None = None, *, last: int | None = LAST_DAY) -> Case:
    """Tell of a visit by the authorized clinician on an authorized day; no number is quoted."""
    family = family or scene.rng.choice(STORY_FAMILIES)
    organization = scene.organization()
    authorization = authorize(scene, family, organization, last=last)
    claim = bill(scene, family, organization)
    return Case(
        scene=scene,
        template="professional",
        organization=organization,
        authorization=authorization,
        service=authorization["lines"][0],
        claim=claim,
        line=claim["lines"][0],
    )


def authorize(
    scene: Scene,
    family: Family,
    organization: Organization,
    *,
    last: int | None = LAST_DAY,
    action: str = "A1",
) -> Json:
    """Write an authorization of one line: the range of the family's codes."""
    paper = scene.authorization("professional", FIRST_DAY, last, action=action)
    if family.service_type:
        paper["service_type"] = family.service_type
    paper["requesting_provider"] = {"npi": organization.referrer, "tin": organization.tin}
    paper["servicing_provider"] = {
        "npi": organization.clinicians[0],
        "tin": organization.tin,
        "taxonomy": [family.taxonomy],
    }
    paper["diagnoses"] = [{"code": family.diagnosis, "type": "ABK"}]
    paper["place_of_service"] = family.place
    paper["requested"] = {"units": str(_UNITS + 6), "unit": family.unit}
    granted = limits(_UNITS, family.unit, family.price, scene.rng.random())
    if granted:
        paper["limits"] = granted
    paper["lines"] = [authorized_line(family)]
    return paper


def authorized_line(family: Family, number: int = 1, code: str | None = None) -> Json:
    """Write an authorization line: a code, or the range of all codes of the family."""
    procedure: Json = {"from": code or family.first, "code_system": "HCPCS"}
    if code is None:
        procedure["to"] = family.last
    return {"line": number, "procedure": procedure, "modifiers": list(family.modifiers)}


def bill(scene: Scene, family: Family, organization: Organization) -> Json:
    """Write a claim of one line for the family's service."""
    claim = scene.claim("professional")
    claim["billing_provider"] = {
        "npi": organization.billing,
        "tin": organization.tin,
        "taxonomy": [family.taxonomy],
    }
    claim["rendering_provider"] = {
        "npi": organization.clinicians[0],
        "taxonomy": [family.taxonomy],
    }
    claim["place_of_service"] = family.place
    claim["diagnoses"] = [{"code": family.diagnosis, "type": "ABK"}]
    claim["lines"].append(billed_line(scene, family))
    return claim


def billed_line(scene: Scene, family: Family) -> Json:
    """Write a claim line for one code of the family on one of the authorized days."""
    units = 1 + int(scene.rng.random() * 4)
    day = scene.day(FIRST_DAY + 2 + int(scene.rng.random() * (LAST_DAY - FIRST_DAY - 4)))
    return {
        "line": 1,
        "procedure": scene.rng.choice(family.codes),
        "code_system": "HCPCS",
        "modifiers": list(family.modifiers),
        "from": day,
        "to": day,
        "units": str(units),
        "unit": "UN",
        "charge": f"{units * family.price}.00",
        "place_of_service": family.place,
        "diagnosis_pointers": [1],
        "benefit": scene.benefit("authorization", is_ruled=family.is_ruled),
    }
