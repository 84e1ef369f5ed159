"""Reads an 837: each claim (CLM) with its lines, whatever the number of subscribers and payers.

The id of a claim is the provider's number of it (CLM01), as far as an id can hold it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.domain.claim import Claim
from service.ingest.x12.claim.document import ClaimDraft, document_of, read_claim, type_of
from service.ingest.x12.fields.people import MemberIdOf, Patient, checked_once, patient_of
from service.ingest.x12.wire.excerpt import Excerpt
from service.ingest.x12.wire.loops import CLAIM, HEADER, Loop
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.results import ClaimRead, Content, Document, Transaction, Unread
from service.ingest.x12.wire.segment import Segment
from service.ingest.x12.wire.transaction_set import Handler

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


_FORMER_GUIDE = "004010"


@dataclass(frozen=True, slots=True)
class Payer:
    """The payer to whom a claim is sent (2010BB, else 1000B)."""

    id: str | None
    name: str | None


class ClaimHandler(Handler):
    """Reads one 837 transaction set; without a guide each segment must be seen for its release."""

    def __init__(
        self,
        transaction: Transaction,
        findings: Findings,
        member_id_of: MemberIdOf,
        claim_id_of: ClaimIdOf,
    ) -> None:
        super().__init__(CLAIM, transaction, findings)
        self._member_id_of = member_id_of
        self._claim_id_of = claim_id_of
        if not transaction.guide:
            self.walker = None

    def take(self, segment: Segment) -> Sequence[Content]:
        """Take a segment; give the claims that it completes."""
        if self.walker is None and self._says_4010(segment):
            return ()
        return super().take(segment)

    def completed(self, loops: list[Loop]) -> list[Content]:
        """Give the claims that are complete with these loops."""
        return [self._claim(loop) for loop in loops if loop.name == CLAIM.unit]

    def _says_4010(self, segment: Segment) -> bool:
        """Whether the header names release 4010 (REF*87), and nothing else names another."""
        if (
            segment.elements[0] == "REF"
            and segment.get(1) == "87"
            and segment.get(2).startswith(_FORMER_GUIDE)
        ):
            self.refusal = "release-4010"
            self.findings.add("release-4010", segment, 2)
        return self.refusal is not None

    def _claim(self, loop: Loop) -> Content:
        findings = Findings(self.transaction.segment_index)
        spoiled = self.was_spoiled()
        payer = _payer_of(loop)
        subscriber = loop.above("2000B")
        patient = self._patient(loop, findings)
        if spoiled:
            return self._unread(loop, findings, is_complete=False)
        claim = read_claim(loop, payer.id, findings)
        if patient is None or claim.is_unsure:
            return self._unread(loop, findings)
        claim_type = type_of(claim, self.transaction.kind, findings)
        document = document_of(claim, claim_type, findings)
        ids = self._ids(claim, document, payer, findings)
        if ids is None or document is None:
            return self._unread(loop, findings)
        member = {"id": self._member_id_of(patient)}
        if patient.birth_date:
            member["birth_date"] = patient.birth_date
        if patient.gender:
            member["gender"] = patient.gender
        document = {**ids, "type": claim_type, "member": member, **document}
        sbr = subscriber.first("SBR") if subscriber else None
        responsibility = sbr.get(1) if sbr else ""
        return self._checked(loop, document, claim, payer, responsibility, findings)

    def _ids(
        self, claim: ClaimDraft, document: Document | None, payer: Payer, findings: Findings
    ) -> Document | None:
        number = written_id(claim.draft.notes.get("claim_number", ""))
        if number is None:
            findings.add("no-claim-id", claim.segment, 1, loop="2300")
            return None
        billing = (document or {}).get("billing_provider", {})
        group = self.transaction.group
        keys = ClaimKeys(
            number=number,
            billing_npi=billing.get("npi"),
            billing_tin=billing.get("tin"),
            payer_id=payer.id,
            sender=group.sender or group.interchange.sender,
        )
        ids: Document = {"claim_id": self._claim_id_of(keys)}
        original = written_id(claim.draft.notes.get("original_number", ""))
        if original:
            ids["original_claim_id"] = original
        return ids

    def _patient(self, loop: Loop, findings: Findings) -> Patient | None:
        subscriber, dependent = loop.above("2000B"), loop.above("2000C")
        if dependent is None and subscriber and subscriber.party("2010CA"):
            dependent = subscriber  # the patient stands under the subscriber's HL
        patient = patient_of(subscriber, dependent, ("2010BA", "2010CA"), findings)
        if patient and patient.is_dependent and patient.own_id is None:
            findings.add("dependent", dependent.start if dependent else None, loop="2000C")
        return patient

    def _checked(  # a claim and all that stands beside it
        self,
        loop: Loop,
        document: Document,
        read: ClaimDraft,
        payer: Payer,
        responsibility: str,
        findings: Findings,
    ) -> Content:
        claim = self.fitting(Claim, checked_once(document), "2300", findings)
        if claim is None:
            return self._unread(loop, findings)
        told = self.transaction.is_predetermination
        return ClaimRead(
            document=document,
            claim=claim,
            payer_id=payer.id,
            payer_name=payer.name,
            responsibility=responsibility[:1] or None,
            use=self.transaction.purpose[:2],
            is_predetermination=told or bool(read.draft.notes.get("is_predetermination")),
            problems=tuple(findings.problems),
            transaction=self.transaction,
            excerpt=Excerpt(self.transaction.envelope, loop),
        )

    def _unread(self, loop: Loop, findings: Findings, *, is_complete: bool = True) -> Unread:
        findings.add("claim-unread", loop.start, loop=loop.name)
        return self.unread(loop, loop.name, findings, is_complete=is_complete)


def _payer_of(loop: Loop) -> Payer:
    """Read the payer of a claim; where 2010BB is missing, the receiver of the file."""
    party = None
    for name in ("2000C", "2000B"):
        level = loop.above(name)
        if level is not None and party is None:
            party = next((each for each in level.loops if each.role == "PR"), None)
    if party is None:
        header = loop.above(HEADER)
        party = header.party("1000B") if header else None
    if party is None:
        return Payer(None, None)
    nm1 = party.segments[0]
    return Payer(nm1.get(9)[:100] or None, nm1.get(3)[:200] or None)
