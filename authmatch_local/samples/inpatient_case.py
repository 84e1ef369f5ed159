"""An authorized stay, and the claim of exactly that stay: 90 of 90 points."""

from dataclasses import dataclass

from authmatch_local.samples.case import Case
from authmatch_local.samples.papers import Json
from authmatch_local.samples.scene import Scene

ADMISSION_DAY = 15
AUTHORIZED_DAYS = 16
INTENSIVE_CARE_BED = "0200"
_NIGHTS = 4


@dataclass(frozen=True, slots=True)
class Bed:
    """The bed of the stories, why the member lies in it, and a diagnosis near that."""

    revenue: str
    level_of_care: str
    diagnosis: str
    diagnosis_mate: str


ROOM = Bed("0120", "medical-surgical", "M16.11", "M16.12")


def stay(scene: Scene, *, nights: int = _NIGHTS) -> Case:
    """Tell of a stay at the authorized hospital from the authorized day on; no number is quoted."""
    organization = scene.organization()
    hospital = {"npi": organization.facility, "tin": organization.tin}
    paper = scene.authorization("inpatient", ADMISSION_DAY, ADMISSION_DAY + AUTHORIZED_DAYS)
    paper |= {
        "facility": dict(hospital),
        "admission": {"date": scene.day(ADMISSION_DAY), "type": "3", "source": "1"},
        "bill_type": "11",
        "level_of_care": ROOM.level_of_care,
        "diagnoses": [{"code": ROOM.diagnosis, "type": "ABK"}],
        "service_type": "1",
        "requested": {"units": str(AUTHORIZED_DAYS + 4), "unit": "DA"},
        "limits": {"units": str(AUTHORIZED_DAYS), "unit": "DA"},
    }
    claim = _bill(scene, hospital, nights)
    return Case(
        scene=scene,
        template="inpatient",
        organization=organization,
        authorization=paper,
        service=paper,
        claim=claim,
        line=claim["lines"][0],
    )


def _bill(scene: Scene, hospital: Json, nights: int) -> Json:
    claim = scene.claim("institutional")
    claim |= {
        "bill_type": "111",
        "billing_provider": dict(hospital),
        "diagnoses": [{"code": ROOM.diagnosis, "type": "ABK"}],
        "lines": [
            {
                "line": 1,
                "revenue_code": ROOM.revenue,
                "units": str(nights),
                "unit": "DA",
                "charge": f"{nights * 2400}.00",
                "benefit": scene.benefit("authorization", is_ruled=True),
            }
        ],
    }
    _date(scene, claim, ADMISSION_DAY, nights)
    return claim


def move(case: Case, days: int) -> None:
    """Let the stay begin so many days later than authorized."""
    _date(case.scene, case.claim, ADMISSION_DAY + days, _NIGHTS)


def _date(scene: Scene, claim: Json, admitted: int, nights: int) -> None:
    first, last = scene.day(admitted), scene.day(admitted + nights)
    claim["admission"] = {"date": first, "type": "3", "source": "1"}
    claim["discharge_date"] = last
    claim["statement"] = {"from": first, "to": last}
