"""The people and places that a response carries itself."""

from service.domain.authorization import Member
from service.domain.provider import AuthorizedProvider
from service.ingest.fhir.base.vocabulary import (
    NPI,
    TAXONOMY,
    TERMINOLOGY,
    TIN,
    Json,
    concept,
    without_nothing,
)

_GENDERS = {"M": "male", "F": "female"}


class Contained:
    """The resources that a response carries itself, since no server keeps them for us."""

    def __init__(self) -> None:
        """Start with none."""
        self.resources: list[Json] = []

    def patient(self, member: Member) -> Json:
        """Keep the member, and refer to it; no name, for we have none."""
        identifier = {"type": concept(f"{TERMINOLOGY}v2-0203", "MB"), "value": member.id}
        patient = {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [identifier],
            "gender": _GENDERS.get(member.gender or ""),
            "birthDate": member.birth_date.isoformat() if member.birth_date else None,
        }
        self.resources.append(without_nothing(patient))
        return {"reference": "#patient", "identifier": identifier}

    def insurance(self, member: Member) -> list[Json]:
        """Keep the coverage where there is a number of the subscriber."""
        if member.subscriber_id is None:
            return []
        coverage = {
            "resourceType": "Coverage",
            "id": "coverage",
            "status": "active",
            "subscriberId": member.subscriber_id,
            "dependent": member.suffix,
            "beneficiary": {"reference": "#patient"},
            "payor": [{"display": "payer"}],
        }
        self.resources.append(without_nothing(coverage))
        return [{"sequence": 1, "focal": True, "coverage": {"reference": "#coverage"}}]

    def provider(self, provider: AuthorizedProvider | None, kind: str) -> Json | None:
        """Keep a provider, once, and refer to it."""
        if provider is None:
            return None
        systems = ((NPI, provider.npi), (TIN, provider.tin))
        resource: Json = {
            "resourceType": kind,
            "identifier": [{"system": system, "value": each} for system, each in systems if each],
        }
        if provider.name:
            resource["name"] = (
                provider.name if kind == "Organization" else [{"text": provider.name}]
            )
        if provider.taxonomy and kind == "Practitioner":
            resource["qualification"] = [
                {"code": concept(TAXONOMY, each)} for each in provider.taxonomy
            ]
        resource = without_nothing(resource)
        for known in self.resources:
            if {name: value for name, value in known.items() if name != "id"} == resource:
                return {"reference": f"#{known['id']}"}
        name = f"provider-{len(self.resources)}"
        self.resources.append({**resource, "id": name})
        return {"reference": f"#{name}"}
