"""FHIR: pre-authorization responses of the Da Vinci PAS guide, in and out."""

from service.ingest.fhir.base.issue import Issue, operation_outcome
from service.ingest.fhir.reading.response import (
    ReadAuthorization,
    Reading,
    ReadRequest,
    Unread,
    read,
)
from service.ingest.fhir.reading.submissions import (
    FhirDocument,
    fhir_submissions,
    read_piece,
)
from service.ingest.fhir.writing.response import AsStored, searchset, to_claim_response

__all__ = [
    "AsStored",
    "FhirDocument",
    "Issue",
    "ReadAuthorization",
    "ReadRequest",
    "Reading",
    "Unread",
    "fhir_submissions",
    "operation_outcome",
    "read",
    "read_piece",
    "searchset",
    "to_claim_response",
]
