"""What reading and writing FHIR share: nodes, primitives, terms, issues."""
