"""FHIR: pre-authorization responses of the Da Vinci PAS guide, in and out."""

from service.ingest.fhir.reading.response import Reading, read
from service.ingest.fhir.reading.submissions import FhirDocument, read_document, read_piece
from service.ingest.fhir.writing.response import AsStored, searchset, to_claim_response

__all__ = [
    "AsStored",
    "FhirDocument",
    "Reading",
    "read",
    "read_document",
    "read_piece",
    "searchset",
    "to_claim_response",
]
