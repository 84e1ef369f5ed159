"""What a payer chooses of how messages are read: how ids are made, what stands for what lacks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from service.ingest.x12.fields.people import MemberIdOf, wire_member_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimKeys:
    """What tells a claim from others: CLM01 alone is unique within its provider only."""

    number: str
    billing_npi: str | None
    billing_tin: str | None


ChargeIds = Literal["none", "line-control-number"]
UndatedGrants = Literal["refuse", "requested", "pended"]

ClaimIdOf = Callable[[ClaimKeys], str]
"""Gives the id of a claim."""


def wire_claim_id(keys: ClaimKeys) -> str:
    """The number of the claim (CLM01)."""
    return keys.number


def provider_claim_id(keys: ClaimKeys) -> str:
    """The number with the billing provider: for a payer that takes claims of many."""
    provider = keys.billing_npi or keys.billing_tin
    return f"{provider}.{keys.number}" if provider else keys.number


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPolicy:
    """How a payer has messages read, where they leave a choice.

    Ids are made of what stands in a message; a payer that resolves persons has its own.
    ``estimate_day`` is the day of service of a predetermination that has none; without it such a
    one is left out. ``undated_grants`` says what becomes of a grant without a day: it is left out,
    has those of its request, or is held as pended. ``asked_for`` are the days of requests that are
    known beforehand, by trace number and member, beside those that stand before it in the file.
    ``charge_ids`` says whether the control number of a claim line (REF*6R) is that of its charge.
    """

    member_id_of: MemberIdOf = wire_member_id
    claim_id_of: ClaimIdOf = wire_claim_id
    estimate_day: date | None = None
    undated_grants: UndatedGrants = "refuse"
    charge_ids: ChargeIds = "none"
    asked_for: Mapping[tuple[str, str], dict[str, str]] = field(default_factory=dict)


WIRE_POLICY = ReadingPolicy()
