"""An authorized outpatient service, and the claim of exactly that service: 90 of 90 points."""

from authmatch_local.samples.case import Case
from authmatch_local.samples.families import OUTPATIENT_FAMILIES, Family
from authmatch_local.samples.organizations import Organization
from authmatch_local.samples.papers import Json, limits
from authmatch_local.samples.professional_case import (
    FIRST_DAY,
    LAST_DAY,
    authorized_line,
    billed_line,
)
from authmatch_local.samples.scene import Scene

HOSPITAL_OUTPATIENT = "13"
_UNITS = 12


def treatment(scene: Scene, family: Family | None = None, *, last: int | None = LAST_DAY) -> Case:
    """Tell of a treatment at the authorized facility on an authorized day; no number is quoted."""
    family = family or scene.rng.choice(OUTPATIENT_FAMILIES)
    organization = scene.organization()
    authorization = authorize(scene, family, organization, last=last)
    claim = bill(scene, family, organization)
    return Case(
        scene=scene,
        template="outpatient",
        organization=organization,
        authorization=authorization,
        service=authorization["lines"][0],
        claim=claim,
        line=claim["lines"][0],
    )


def authorize(
    scene: Scene, family: Family, organization: Organization, *, last: int | None = LAST_DAY
) -> Json:
    """Write an outpatient authorization of one line for a facility."""
    paper = scene.authorization("outpatient", FIRST_DAY, last)
    if family.service_type:
        paper["service_type"] = family.service_type
    paper["facility"] = {"npi": organization.facility, "tin": organization.tin}
    paper["bill_type"] = HOSPITAL_OUTPATIENT
    paper["diagnoses"] = [{"code": family.diagnosis, "type": "ABK"}]
    granted = limits(_UNITS, family.unit, family.price, scene.rng.random())
    if granted:
        paper["limits"] = granted
    paper["lines"] = [authorized_line(family) | {"revenue_code": family.revenue}]
    return paper


def bill(scene: Scene, family: Family, organization: Organization) -> Json:
    """Write an outpatient claim of one line for the family's service."""
    claim = scene.claim("institutional")
    claim["bill_type"] = f"{HOSPITAL_OUTPATIENT}1"
    claim["billing_provider"] = {"npi": organization.facility, "tin": organization.tin}
    claim["diagnoses"] = [{"code": family.diagnosis, "type": "ABK"}]
    line = billed_line(scene, family) | {"revenue_code": family.revenue}
    line.pop("place_of_service")
    line.pop("diagnosis_pointers")
    claim["statement"] = {"from": line["from"], "to": line["to"]}
    claim["lines"].append(line)
    return claim
