"""An authorized dental service, and the claim of exactly that service."""

from authmatch_local.samples.case import Case
from authmatch_local.samples.papers import Json
from authmatch_local.samples.professional_case import FIRST_DAY, LAST_DAY
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.specialties import DentalFamily

DENTIST = "1223G0001X"


def dental_visit(scene: Scene, family: DentalFamily, *, is_ruled: bool = False) -> Case:
    """Tell of a treatment by the authorized dentist; where in the mouth is the story's to say."""
    organization = scene.organization()
    paper = scene.authorization("dental", FIRST_DAY, LAST_DAY)
    paper["servicing_provider"] = {
        "npi": organization.clinicians[0],
        "tin": organization.tin,
        "taxonomy": [DENTIST],
    }
    paper["limits"] = {"units": "1", "unit": "UN", "amount": f"{family.price}.00"}
    paper["lines"] = [
        {
            "line": 1,
            "procedure": {"from": family.first, "to": family.last, "code_system": "CDT"},
            "unit_price": f"{family.price}.00",
        }
    ]
    claim = _bill(scene, family, is_ruled)
    claim["billing_provider"] = {"npi": organization.billing, "tin": organization.tin}
    claim["rendering_provider"] = {"npi": organization.clinicians[0], "taxonomy": [DENTIST]}
    return Case(
        scene=scene,
        template="dental",
        organization=organization,
        authorization=paper,
        service=paper["lines"][0],
        claim=claim,
        line=claim["lines"][0],
    )


def _bill(scene: Scene, family: DentalFamily, is_ruled: bool) -> Json:
    claim = scene.claim("dental")
    claim["place_of_service"] = "11"
    day = scene.day(FIRST_DAY + 2 + int(scene.rng.random() * (LAST_DAY - FIRST_DAY - 4)))
    claim["lines"].append(
        {
            "line": 1,
            "procedure": scene.rng.choice(family.codes),
            "code_system": "CDT",
            "from": day,
            "to": day,
            "units": "1",
            "unit": "UN",
            "charge": f"{family.price}.00",
            "benefit": scene.benefit("authorization", is_ruled=is_ruled),
        }
    )
    return claim
