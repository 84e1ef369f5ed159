"""FHIR: pre-authorization responses of the Da Vinci PAS guide, in and out."""

from service.ingest.fhir.issue import Issue, operation_outcome
from service.ingest.fhir.reading import ReadAuthorization, Reading, ReadRequest, read
from service.ingest.fhir.writing import searchset, to_claim_response

__all__ = [
    "Issue",
    "ReadAuthorization",
    "ReadRequest",
    "Reading",
    "operation_outcome",
    "read",
    "searchset",
    "to_claim_response",
]
