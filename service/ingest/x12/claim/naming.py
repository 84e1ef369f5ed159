"""Which id a claim has: the provider's number of it (CLM01), as far as an id can hold it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_NOT_IN_AN_ID = re.compile(r"[^!-$&-.0-{}~]")
"""What an id cannot hold: blanks, slashes, bars, all beyond ASCII; and the mark of what was."""

_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimKeys:
    """What tells a claim from others: CLM01 alone is unique within its provider only."""

    number: str
    billing_npi: str | None
    billing_tin: str | None
    payer_id: str | None
    sender: str


ClaimIdOf = Callable[[ClaimKeys], str]
"""Gives the id of a claim."""


def written_id(text: str) -> str | None:
    """Write a text as an id, blanks and the like as %20; None where it is empty or too long."""
    if not text:
        return None
    if not (text.isalnum() and text.isascii()):
        text = _NOT_IN_AN_ID.sub(_encoded, text.strip())
    return text if 0 < len(text) <= _CHARACTERS_MAX else None


def wire_claim_id(keys: ClaimKeys) -> str:
    """Give the number of the claim (CLM01)."""
    return keys.number


def provider_claim_id(keys: ClaimKeys) -> str:
    """Give the number with the billing provider: for a payer that takes claims of many."""
    provider = keys.billing_npi or keys.billing_tin
    return f"{provider}.{keys.number}" if provider else keys.number


def _encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))
