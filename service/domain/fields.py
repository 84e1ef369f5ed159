"""The field dictionary: what a template may name on an authorization line and on a claim line.

An authorization field lives in Elasticsearch as ``lines.<name>``; those in ``ROOT_TWINS`` also
stand at the root of the document, so that a search need not enter the nested lines for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FieldType = Literal["keyword", "date", "date_range", "integer", "long", "boolean", "procedure"]
"""``procedure`` is the triple of first code, last code and shape."""


@dataclass(frozen=True, slots=True)
class KnownField:
    """A field of an authorization line or claim line; ``many``: it may hold several values.

    ``absent_is_value`` says that none given by a claim is itself a statement.
    """

    type: FieldType
    meaning: str
    many: bool = False
    absent_is_value: bool = False


def _keyword(meaning: str, *, many: bool = False, absent_is_value: bool = False) -> KnownField:
    return KnownField("keyword", meaning, many, absent_is_value)


def _provider(prefix: str, meaning: str, *, many: bool = False) -> dict[str, KnownField]:
    return {
        f"{prefix}.npi": _keyword(f"NPI of the {meaning}", many=many),
        f"{prefix}.tin": _keyword(f"taxpayer number of the {meaning}", many=many),
        f"{prefix}.taxonomy": _keyword(f"taxonomy codes of the {meaning}", many=True),
        f"{prefix}.specialty": _keyword(f"specialty of the {meaning}", many=many),
        f"{prefix}.group_scope": _keyword(f"network status covered of the {meaning}", many=many),
        f"{prefix}.provider_group": _keyword(f"provider group of the {meaning}", many=many),
    }


AUTHORIZATION_FIELDS: Mapping[str, KnownField] = {
    "kind": _keyword("authorization, notification or referral"),
    "setting": _keyword("inpatient, outpatient, professional or dental", many=True),
    "member.birth_date": _keyword("birth date of the member"),
    "action": _keyword("the decision in force for the line (HCR01)"),
    "numbers_all": _keyword("own, per line, previous and superseded numbers", many=True),
    "certification_type": _keyword("UM02"),
    "urgency": _keyword("UM06"),
    "service_type": _keyword("service types, UM03", many=True),
    "effective": KnownField("date_range", "days of validity, an open end included"),
    "certification_date": KnownField("date", "the day of issue, DTP*102"),
    "procedure": KnownField("procedure", "first and last code and their shape"),
    "procedure.from": _keyword("first procedure code"),
    "procedure.to": _keyword("last procedure code; the first where there is one code"),
    "procedure.shape": _keyword("code system and shape of the codes"),
    "procedure.group": _keyword("group of procedure codes"),
    "modifiers": _keyword("modifiers", many=True),
    "modifiers_significant": _keyword("modifiers that change the service", many=True),
    "modifiers_significant_count": KnownField("integer", "how many of them"),
    "revenue_code": _keyword("revenue code, four digits"),
    "place_of_service": _keyword("place of service, two digits"),
    "bill_type": _keyword("facility and class, the first two digits of the bill type"),
    "level_of_care": _keyword("level of care"),
    "drg": _keyword("diagnosis-related group"),
    "diagnoses": _keyword("diagnosis codes", many=True),
    "principal_diagnosis": _keyword("the principal diagnosis"),
    **_provider("servicing_provider", "provider of the service", many=True),
    "servicing_provider.organization_npi": _keyword(
        "NPI of an organization that serves", many=True
    ),
    "servicing_provider.organization_tin": _keyword(
        "taxpayer number of one without an NPI", many=True
    ),
    **_provider("requesting_provider", "provider who asked"),
    **_provider("facility", "facility", many=True),
    "days_of_week": _keyword("days of the week on which the service is given", many=True),
    "admission.date": KnownField("date", "authorized day of admission, DTP*435"),
    "admission.type": _keyword("admission type, CL101"),
    "admission.source": _keyword("admission source, CL102"),
    "tooth": _keyword("tooth"),
    "surfaces": _keyword("surfaces of the tooth", many=True),
    "surfaces_count": KnownField("integer", "how many surfaces"),
    "oral_cavity": _keyword("areas of the oral cavity", many=True),
}

ROOT_TWINS: Mapping[str, str] = {"kind": "kind", "setting": "setting", "effective": "windows"}
"""Authorization field to the field at the root that holds the same for all lines together."""

ROOT_FIELDS: Mapping[str, FieldType] = {
    "authorization_id": "keyword",
    "version": "long",
    "kind": "keyword",
    "setting": "keyword",
    "number": "keyword",
    "numbers_all": "keyword",
    "action": "keyword",
    "status": "keyword",
    "provider_npis": "keyword",
    "certification_date": "date",
    "starts_on": "date",
    "windows": "date_range",
}
"""Fields at the root of the document that a raw clause may name."""

STORE_FIELDS = frozenset(
    {"payer", "member_id", "void", "current", "superseded_by", "content_hash", "made_of"}
)
"""Fields that only the store may filter on: they keep payers and members apart."""

COUNTED = {"modifiers_significant": "modifiers_significant_count", "surfaces": "surfaces_count"}
"""Sets that are stored with their size, which ``terms_set`` needs."""


def _claim_provider(role: str, meaning: str) -> dict[str, KnownField]:
    return {
        f"{role}.npi": _keyword(f"NPI of the {meaning}"),
        f"{role}.tin": _keyword(f"taxpayer number of the {meaning}"),
        f"{role}.taxonomy": _keyword(f"taxonomy codes of the {meaning}", many=True),
        f"{role}.specialty": _keyword(f"specialty of the {meaning}"),
        f"{role}.groups": _keyword(f"provider groups of the {meaning}", many=True),
    }


CLAIM_FIELDS: Mapping[str, KnownField] = {
    "requested_type": _keyword("what is looked for: authorization, notification or referral"),
    "requested_types": _keyword("the kinds that meet it: of a notification both", many=True),
    "type": _keyword("professional, institutional or dental"),
    "frequency": _keyword("CLM05-3"),
    "network": _keyword("network status of the claim: in or out"),
    "network_scopes": _keyword("provider group scopes that fit the network status", many=True),
    "member.birth_date": _keyword("birth date of the patient"),
    "bill_type": _keyword("facility and class, the first two digits of the bill type"),
    "drg": _keyword("diagnosis-related group"),
    "principal_diagnosis": _keyword("the principal diagnosis"),
    "diagnoses": _keyword("all diagnoses of the claim", many=True),
    "numbers.authorization": _keyword("authorization numbers of the line", many=True),
    "numbers.referral": _keyword("referral numbers of the line", many=True),
    "numbers.predetermination": _keyword("predetermination numbers of the line", many=True),
    **_claim_provider("billing_provider", "billing provider"),
    **_claim_provider("rendering_provider", "rendering provider; the billing one if none is named"),
    **_claim_provider("referring_provider", "referring provider"),
    **_claim_provider("facility", "service facility"),
    "admission.date": KnownField("date", "day of admission"),
    "admission.type": _keyword("admission type"),
    "admission.source": _keyword("admission source"),
    "discharge_date": KnownField("date", "day of discharge"),
    "line.from": KnownField("date", "first day of service, else of the statement"),
    "line.to": KnownField("date", "last day of service"),
    "line.days_of_week": _keyword("every day of the week that the service touches", many=True),
    "line.procedure": _keyword("procedure code"),
    "line.procedure_shape": _keyword("its code system and shape"),
    "line.modifiers": _keyword("modifiers", many=True, absent_is_value=True),
    "line.revenue_code": _keyword("revenue code, four digits"),
    "line.place_of_service": _keyword("place of service of the line, else of the claim"),
    "line.diagnoses": _keyword("diagnoses that the line points to, else all", many=True),
    "line.tooth": _keyword("the tooth, where the line has just one"),
    "line.teeth": _keyword("teeth", many=True),
    "line.surfaces": _keyword("surfaces", many=True),
    "line.oral_cavity": _keyword("areas of the oral cavity", many=True),
}

NUMBER_FIELDS = frozenset(name for name in CLAIM_FIELDS if name.startswith("numbers."))
"""Claim fields that hold numbers which the provider submitted."""
