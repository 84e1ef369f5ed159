"""The setting of a case, and the stay that its request speaks of."""

from service.ingest.fhir.base import guide, primitives
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import codings
from service.ingest.fhir.reading.case import Case, Item, Setting
from service.ingest.fhir.reading.lines import admission

_SETTINGS: dict[str, Setting] = {
    "professional": "professional",
    "oral": "dental",
    "dental": "dental",
    "institutional": "outpatient",
}
_ADMISSION = "AR"


def setting_of(case: Case, items: list[Item]) -> Setting:
    """Say which claims it is for: by the type of the claim; an admission makes it inpatient."""
    type_ = guide.type_code(case.response) or guide.type_code(case.request)
    found = _SETTINGS.get(type_)
    if found is None:
        message = "a type other than professional, institutional or oral: read as professional"
        case.issues.warn(case.response.get("type"), "setting-assumed", message)
        found = "professional"
    if found == "dental":
        return found
    is_stay = any(_is_admission(item) for item in items)
    if found == "outpatient" and not is_stay:
        is_stay = any(item.extension("admissionDates") for item in items) or bool(
            dated(case, "admissiondates", "admissionreviewstart")
        )
        subtype = [each.code.lower() for each in codings(case.response.get("subType"))]
        is_stay = is_stay or "inpatient" in subtype
    return "inpatient" if is_stay else found


def request_types(item: Item) -> list[str]:
    """Give the types of request of a line (UM01): AR, HS, SC, IN."""
    parts = (item.added, item.asked)
    found = [each.extension("serviceItemRequestType") for each in parts]
    return [each.code.upper() for node in found for each in codings(node)]


def _is_admission(item: Item) -> bool:
    return _ADMISSION in request_types(item)


def dated(case: Case, *categories: str) -> Node:
    """Give the date or period of a supporting information of one of these categories."""
    for each in case.request.many("supportingInfo"):
        found = {one.code.lower() for one in codings(each.get("category"))}
        if found & set(categories) and each.extension("infoCancelled").value is not True:
            return each.choice("timing")
    return Node(None)


def admission_of(case: Case) -> dict[str, str]:
    """Read the stay: its days, and type, source and status of the patient of the Encounter."""
    admitted = primitives.span(dated(case, "admissiondates", "admissionreviewstart"), case.issues)
    left = primitives.span(dated(case, "dischargedates", "admissionreviewend"), case.issues)
    read = admission(case, (admitted or {}).get("from"), (left or {}).get("to"))
    encounter = _encounter(case)
    codes = {
        "type": encounter.get("type"),
        "source": encounter.at("hospitalization", "admitSource"),
        "patient_status": encounter.extension("patientStatus"),
    }
    for name, node in codes.items():
        if found := primitives.concept_code(node, case.issues):
            read[name] = found
    return read


def _encounter(case: Case) -> Node:
    references = [case.request.extension("Claim.encounter"), case.request.extension("encounter")]
    for each in case.request.many("supportingInfo"):
        if any(one.code == "institutionalEncounter" for one in codings(each.get("category"))):
            references.append(each.choice("value"))
    references += [each for item in case.request.many("item") for each in item.many("encounter")]
    found = (case.resolve(each) for each in references if each)
    return next((each for each in found if each is not None), Node(None))
