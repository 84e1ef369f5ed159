"""Reads what other systems send (X12, FHIR) into values of the domain; no input or output."""
