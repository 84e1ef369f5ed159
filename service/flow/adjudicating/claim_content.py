"""What a claim says, in the one form in which two claims that say the same are the same."""

import hashlib
from collections.abc import Iterator

from service.domain.adjudication import Adjudication
from service.domain.canonical import canonical_json
from service.domain.person import Person


def content_of(claim: Adjudication) -> bytes:
    """Write a claim as it was sent, without who asks and why."""
    return canonical_json(claim, free=("attached", "limit_adjustments"), without={"by", "reason"})


def fingerprint(content: bytes) -> str:
    """Give what tells whether a claim is sent again, or another under the same version."""
    return hashlib.sha256(content).hexdigest()[:32]


def fingerprints_as(claim: Adjudication, person: Person | None) -> Iterator[str]:
    """Give the fingerprints that the claim had, if it came under another id of the person."""
    others = {*person.ids} - {claim.member.id} if person else set()
    for each in sorted(others):
        member = claim.member.model_copy(update={"id": each})
        yield fingerprint(content_of(claim.model_copy(update={"member": member})))
