"""The CapabilityStatement: what the FHIR addresses offer, and no more."""

from service import __version__
from service.api.fhir_outcome import FHIR_JSON, FHIR_NDJSON
from service.ingest.fhir.base.issue import Json

FHIR_VERSION = "4.0.1"
CHANGED_ON = "2026-11-27"
"""The day on which what is offered last changed."""

_PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-claimresponse"
_DEFINITIONS = "http://hl7.org/fhir/SearchParameter"
PARAMETERS = (
    ("_id", "token", "Resource-id", "The id of the resource."),
    ("_lastUpdated", "date", "Resource-lastUpdated", "When the version was stored here."),
    (
        "identifier",
        "token",
        "ClaimResponse-identifier",
        "The id, any number, also an earlier one or one of a line, or a trace number. Of systems "
        "only urn:authmatch:authorization counts, which is that of the id.",
    ),
    (
        "patient",
        "reference",
        "ClaimResponse-patient",
        "The member id, alone or as Patient/id; also patient.identifier. One member at a time.",
    ),
    ("created", "date", "ClaimResponse-created", "When it was made; ge, le, gt, lt, eq."),
    ("status", "token", "ClaimResponse-status", "active or cancelled."),
    ("use", "token", "ClaimResponse-use", "Always preauthorization."),
    ("outcome", "token", "ClaimResponse-outcome", "Always complete."),
)


def capability_statement(base: str) -> Json:
    """Write the statement of a service whose FHIR addresses begin with ``base``."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": CHANGED_ON,
        "kind": "instance",
        "software": {"name": "authmatch", "version": __version__},
        "implementation": {"description": "Prior authorizations of a payer", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json", FHIR_JSON],
        "rest": [
            {
                "mode": "server",
                "documentation": f"POST to {base} takes authorizations in: a ClaimResponse, or a "
                "Bundle or Parameters that hold some, and answers an OperationOutcome; as "
                f"{FHIR_NDJSON} it takes a stream, one resource a line. It is neither a batch nor "
                "a transaction: every ClaimResponse is taken for itself.",
                "security": {"description": "Authorization: Bearer KEY, or X-API-Key: KEY."},
                "resource": [_claim_response()],
            }
        ],
    }


def _claim_response() -> Json:
    return {
        "type": "ClaimResponse",
        "supportedProfile": [_PAS],
        "documentation": "Authorizations as pushed, with the units and money used of them. A "
        "search needs one of identifier, patient, _id or created; _count (at most 200) and "
        "_summary=count are known, too.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "searchParam": [
            {
                "name": name,
                "definition": f"{_DEFINITIONS}/{definition}",
                "type": type_,
                "documentation": text,
            }
            for name, type_, definition, text in PARAMETERS
        ],
    }
