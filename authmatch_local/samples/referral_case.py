"""A referral to a specialist, and the claim of a visit there: 90 of 90 points."""

from authmatch_local.samples.case import Case
from authmatch_local.samples.organizations import Organization
from authmatch_local.samples.papers import Json
from authmatch_local.samples.professional_case import FIRST_DAY, LAST_DAY
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.specialties import (
    CONSULTATION,
    OFFICE_VISIT,
    STORY_SPECIALTIES,
    Specialty,
)

_VISITS = 3


def specialist_visit(scene: Scene, *, last: int | None = LAST_DAY) -> Case:
    """Tell of a visit to the specialist whom the referral names; no number is quoted."""
    specialty = scene.rng.choice(STORY_SPECIALTIES)
    organization = scene.organization()
    referral = authorize(scene, specialty.taxonomy, organization, last=last)
    referral["diagnoses"] = [{"code": specialty.diagnosis, "type": "ABK"}]
    claim = bill(scene, specialty, organization)
    return Case(
        scene=scene,
        template="referral",
        organization=organization,
        authorization=referral,
        service=referral,
        claim=claim,
        line=claim["lines"][0],
    )


def authorize(
    scene: Scene, taxonomy: str, organization: Organization, *, last: int | None = LAST_DAY
) -> Json:
    """Write a referral without lines: some visits to one specialist, whatever is done there."""
    paper = scene.authorization("professional", FIRST_DAY, last)
    paper["kind"] = "referral"
    paper["requesting_provider"] = {"npi": organization.referrer, "tin": organization.tin}
    paper["servicing_provider"] = {
        "npi": organization.clinicians[0],
        "tin": organization.tin,
        "taxonomy": [taxonomy],
    }
    paper["requested"] = {"units": str(_VISITS * 2), "unit": "VS"}
    paper["limits"] = {"units": str(_VISITS), "unit": "VS"}
    return paper


def bill(scene: Scene, specialty: Specialty, organization: Organization) -> Json:
    """Write a claim of one visit to a specialist."""
    claim = scene.claim("professional")
    claim["billing_provider"] = {"npi": organization.billing, "tin": organization.tin}
    claim["rendering_provider"] = {
        "npi": organization.clinicians[0],
        "tin": organization.tin,
        "taxonomy": [specialty.taxonomy],
    }
    claim["referring_provider"] = {"npi": organization.referrer}
    claim["diagnoses"] = [{"code": specialty.diagnosis, "type": "ABK"}]
    claim["place_of_service"] = "11"
    # Consultations need a referral by the decision table, later visits when the benefit says so.
    consults = scene.rng.random() < 0.5  # as many first visits as later ones
    day = scene.day(FIRST_DAY + 2 + int(scene.rng.random() * (LAST_DAY - FIRST_DAY - 4)))
    claim["lines"].append(
        {
            "line": 1,
            "procedure": scene.rng.choice(CONSULTATION if consults else OFFICE_VISIT),
            "code_system": "CPT",
            "modifiers": [],
            "from": day,
            "to": day,
            "units": "1",
            "unit": "UN",
            "charge": "185.00",
            "diagnosis_pointers": [1],
            "benefit": scene.benefit("referral", is_ruled=consults),
        }
    )
    return claim
