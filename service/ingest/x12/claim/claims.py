"""Reads an 837: each claim (CLM) with its lines, whatever the number of subscribers and payers.

The id of a claim is the provider's number of it (CLM01), as far as an id can hold it.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from service.domain.claim import Claim
from service.domain.provider import ClaimProvider
from service.ingest.x12.claim.rows import CLAIM as CLAIM_ROWS
from service.ingest.x12.claim.rows import LINE
from service.ingest.x12.fields.mapping import Draft
from service.ingest.x12.fields.people import (
    Party,
    Patient,
    Payer,
    checked,
    checked_once,
    first_of,
    member_of,
    parties_of,
    patient_of,
    read_payer,
    read_provider,
    with_taxonomy,
)
from service.ingest.x12.fields.policy import ChargeIds, ClaimKeys, ReadingPolicy
from service.ingest.x12.fields.services import Diagnoses
from service.ingest.x12.wire.composites import Composites
from service.ingest.x12.wire.elements import Elements
from service.ingest.x12.wire.envelope import Handler
from service.ingest.x12.wire.excerpt import Excerpt
from service.ingest.x12.wire.guide import Kind
from service.ingest.x12.wire.loops import Loop
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.results import ClaimRead, Content, Document, Transaction
from service.ingest.x12.wire.segment import Segment
from service.ingest.x12.wire.structure import CLAIM, HEADER

_IN_AN_ID = string.punctuation.translate(str.maketrans("", "", "%/|"))
"""What an id can hold beside letters and digits: no slash, no bar, not the mark of what was."""

_CHARACTERS_MAX = 100


def written_id(text: str) -> str | None:
    """Write a text as an id, blanks and the like as %20; None where it is empty or too long."""
    if not text:
        return None
    if not (text.isalnum() and text.isascii()):
        text = quote(text.strip(), safe=_IN_AN_ID, errors="replace")
    if text in (".", ".."):  # an address leaves them out
        text = text.replace(".", "%2E")
    return text if 0 < len(text) <= _CHARACTERS_MAX else None


_FORMER_GUIDE = "004010"
_CHARGE_CHARACTERS_MAX = 90


class ClaimHandler(Handler):
    """Reads one 837 transaction set; without a guide each segment must be seen for its release."""

    def __init__(self, transaction: Transaction, findings: Findings, policy: ReadingPolicy) -> None:
        super().__init__(CLAIM, transaction, findings)
        self._policy = policy
        self._composites = Composites()
        self.may_refuse = not transaction.guide

    def take(self, segment: Segment) -> Sequence[Content]:
        """Take a segment; give the claims that it completes."""
        if self.may_refuse and self._says_4010(segment):
            return ()
        return super().take(segment)

    def completed(self, loops: list[Loop]) -> list[Content]:
        """The claims that are complete with these loops."""
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
        patient = _patient_of(loop, findings)
        if spoiled:
            return self.unread(loop, findings, "claim-unread", is_complete=False)
        if self.is_unplaced(loop, findings) or not self._composites.settle(loop, findings):
            return self.unread(loop, findings, "claim-unread")
        read = read_claim(loop, payer.id, findings, self._policy.charge_ids)
        if patient is None or read.is_unsure:
            return self.unread(loop, findings, "claim-unread")
        claim_type = type_of(read, self.transaction.kind, findings)
        is_estimate = self.transaction.is_predetermination or read.is_predetermination
        day = self._policy.estimate_day if is_estimate else None
        fields = document_of(read, claim_type, findings, day)
        ids = self._ids(read, fields, findings)
        if ids is None or fields is None:
            return self.unread(loop, findings, "claim-unread")
        member = member_of(patient, self._policy.member_id_of)
        member.pop("subscriber_id", None)
        if fields["frequency"] in _CHANGING:
            ids["version"] = _version_of(self.transaction)
        document = {**ids, "type": claim_type, "member": member, **fields}
        claim = self.fitting(Claim, checked_once(document), "2300", findings)
        if claim is None:
            return self.unread(loop, findings, "claim-unread")
        subscriber = loop.above("2000B")
        sbr = subscriber.first("SBR") if subscriber else None
        return ClaimRead(
            document=document,
            claim=claim,
            payer_id=payer.id,
            payer_name=payer.name,
            responsibility=(sbr.get(1)[:1] if sbr else "") or None,
            use=self.transaction.purpose[:2],
            is_predetermination=is_estimate,
            problems=tuple(findings.problems),
            transaction=self.transaction,
            excerpt=Excerpt(self.transaction.envelope, loop),
        )

    def _ids(
        self, claim: "ClaimDraft", fields: Document | None, findings: Findings
    ) -> Document | None:
        number = written_id(claim.draft.notes.get("claim_number", ""))
        if number is None:
            findings.add("no-claim-id", claim.segment, 1, loop="2300")
            return None
        billing = (fields or {}).get("billing_provider", {})
        keys = ClaimKeys(
            number=number, billing_npi=billing.get("npi"), billing_tin=billing.get("tin")
        )
        ids: Document = {"claim_id": self._policy.claim_id_of(keys)}
        original = written_id(claim.draft.notes.get("original_number", ""))
        if original:
            ids["original_claim_id"] = original
        return ids


def _patient_of(loop: Loop, findings: Findings) -> Patient | None:
    subscriber, dependent = loop.above("2000B"), loop.above("2000C")
    if dependent is None and subscriber and subscriber.party("2010CA"):
        dependent = subscriber  # the patient stands under the subscriber's HL
    return patient_of(subscriber, dependent, ("2010BA", "2010CA", "2000C"), findings)


def _payer_of(loop: Loop) -> Payer:
    """Read the payer of a claim (2010BB); where it is missing, the receiver of the file (1000B)."""
    levels = (loop.above("2000C"), loop.above("2000B"))
    parties = (each for level in levels if level for each in level.loops if each.role == "PR")
    header = loop.above(HEADER)
    return read_payer(next(parties, header.party("1000B") if header else None))


_CHANGING = frozenset({"7", "8"})
_THOUSAND = 1_000


def _version_of(transaction: Transaction) -> int:
    """Order what replaces or voids a claim behind it, for many have its number (CLM01).

    Seconds since 1970 of BHT04 and BHT05 (else GS, ISA), then ISA13, then ST02; 1 where no time is
    known. It stays below 2**53 until 2255.
    """
    made_at = transaction.made_at
    if made_at is None:
        return 1
    version = int(made_at.timestamp())
    for number in (transaction.group.interchange.control_number, transaction.control_number):
        count = int(number) if number.isascii() and number.isdigit() else 0
        version = version * _THOUSAND + count % _THOUSAND
    return max(1, version)


_TYPES = {"837P": "professional", "837I": "institutional", "837D": "dental"}
_TYPES_BY_FORM = {"SV1": "professional", "SV2": "institutional", "SV3": "dental"}
_FORMS = {claim_type: form for form, claim_type in _TYPES_BY_FORM.items()}
_TEETH_MAX = 32

RENDERING = {
    "professional": ("82",),
    "institutional": ("82", "71", "72"),
    "dental": ("82",),
}
"""Who rendered the service (NM101), the first that is named; of a hospital's else the attending."""

REFERRING = ("DN", "P3")
FACILITY = ("77",)
BILLING = "2010AA"


@dataclass(slots=True)
class ClaimDraft:
    """A claim that was read: its own draft and those of its lines, each with its loop."""

    loop: Loop
    draft: Draft
    lines: list[tuple[Draft, Loop]]

    @property
    def segment(self) -> Segment:
        """The CLM segment."""
        return self.loop.segments[0]

    @property
    def is_predetermination(self) -> bool:
        """Whether it says so itself (CLM19)."""
        return bool(self.draft.notes.get("is_predetermination"))

    @property
    def is_unsure(self) -> bool:
        """Whether something that decides what is billed could not be read."""
        return self.draft.is_unsure or any(each.is_unsure for each, _ in self.lines)


def read_claim(
    loop: Loop, payer_id: str | None, findings: Findings, charge_ids: ChargeIds = "none"
) -> ClaimDraft:
    """Read a claim loop (2300) and its lines (2400)."""
    claim = ClaimDraft(loop, Draft(findings, "2300"), [])
    claim.draft.notes["payer_id"] = payer_id
    CLAIM_ROWS.read(loop.segments, claim.draft)
    for each in loop.within("2400"):
        draft = Draft(findings, "2400")
        draft.notes |= {"payer_id": payer_id, "charge_ids": charge_ids}
        LINE.read(each.segments, draft)
        claim.lines.append((draft, each))
    return claim


def type_of(claim: ClaimDraft, kind: Kind, findings: Findings) -> str:
    """Tell the type of a claim by its guide; by its lines, where they are all of another type."""
    declared = _TYPES.get(kind)
    forms = {draft.notes["form"] for draft, _ in claim.lines if "form" in draft.notes}
    if declared and (not forms or _FORMS[declared] in forms):
        return declared
    if forms:
        if declared:
            findings.add("claim-type", claim.segment, loop="2300")
        return _TYPES_BY_FORM[sorted(forms)[0]]
    return "institutional" if claim.draft.notes.get("facility_kind") == "A" else "professional"


def document_of(
    claim: ClaimDraft, claim_type: str, findings: Findings, day: date | None = None
) -> Document | None:
    """Write the fields of a claim but its ids and member; None where it has no lines or dates.

    ``day`` stands for the dates that an estimate need not have.
    """
    fields = dict(claim.draft.fields)
    notes = claim.draft.notes
    _facility_code(claim, claim_type, fields)
    if not claim.lines:
        findings.add("no-lines", claim.segment, loop="2300")
        return None
    diagnoses: Diagnoses | None = notes.get("diagnoses")
    if diagnoses is not None and (told := diagnoses.all):
        fields["diagnoses"] = told
    for draft, _ in claim.lines:
        if "is_emergency" in draft.notes:
            fields["emergency"] = True
    statement = fields.get("statement")
    if statement and notes.get("is_discharged") and not notes.get("is_still_patient"):
        fields.setdefault("discharge_date", statement["to"])
    _take_providers(claim, claim_type, fields)
    is_dated = bool(statement) or bool(fields.get("admission", {}).get("date"))
    billed = len(diagnoses.billed) if diagnoses else 0
    if day is not None and not is_dated and _date_lines(claim, day):
        findings.add("estimate-undated", claim.segment, loop="2300")
    lines = _lines(claim, billed, findings, is_dated=is_dated)
    if lines is None:
        return None
    fields["lines"] = lines
    return fields


def _date_lines(claim: ClaimDraft, day: date) -> bool:
    """Give the lines that have no date this one; whether any had none."""
    undated = [draft.fields for draft, _ in claim.lines if "from" not in draft.fields]
    for fields in undated:
        fields["from"] = day.isoformat()
    return bool(undated)


def _facility_code(claim: ClaimDraft, claim_type: str, fields: Document) -> None:
    """Write CLM05: a bill type of an institutional claim, else a place of service."""
    notes = claim.draft.notes
    code, kind = notes.get("facility_code"), notes.get("facility_kind")
    if code is None:
        return
    is_bill_type = claim_type == "institutional"
    if kind and (kind == "A") != is_bill_type:
        claim.draft.note("facility-code", notes["facility_segment"], 5, 2)
    if is_bill_type:
        fields["bill_type"] = f"{code.zfill(3)}{fields['frequency']}"
    else:
        fields["place_of_service"] = code


def _take_providers(claim: ClaimDraft, claim_type: str, fields: Document) -> None:
    findings, parties = claim.draft.findings, parties_of(claim.loop, "2310")
    billing = _billing(claim.loop, findings)
    if billing:
        fields["billing_provider"] = billing
    for field, wanted in (
        ("rendering_provider", RENDERING[claim_type]),
        ("referring_provider", REFERRING),
        ("facility", FACILITY),
    ):
        party = first_of(parties, wanted)
        provider = read_provider(Elements(findings, "2310"), party) if party else None
        if provider:
            fields[field] = provider


def _billing(loop: Loop, findings: Findings) -> Party:
    """Read the billing provider (2010AA), with the taxonomy of its level (PRV*BI)."""
    level = loop.above("2000A") or loop.above(HEADER)
    if level is not None and level.billing is not None:
        return Party(level.billing, level.billing.model)
    noted = len(findings.problems)
    party = level.party(BILLING) if level else None
    elements = Elements(findings, BILLING)
    provider = read_provider(elements, party) if party else Party({})
    if level is not None:
        provider = with_taxonomy(elements, provider, level)
    if level is not None and len(findings.problems) == noted:
        # Thousands of claims may stand under one provider.
        provider = level.billing = provider if provider.model else checked(provider, ClaimProvider)
    return provider


def _lines(
    claim: ClaimDraft, diagnoses: int, findings: Findings, *, is_dated: bool
) -> list[Document] | None:
    lines: list[Document] = []
    taken: set[int] = set()
    is_readable = True
    for draft, loop in claim.lines:
        segment = loop.segments[0]
        notes = draft.notes
        number = notes.get("line")
        if number is None or number in taken:
            draft.note("line-number", segment, 1)
            number = max(taken, default=0) + 1
        taken.add(number)
        if "form" not in notes:
            draft.note("no-service", segment)
        line: dict[str, Any] = {"line": number, **draft.fields}
        if "from" not in line and not is_dated:
            draft.note("no-service-date", segment)
            is_readable = False
        pointers = _pointers(draft, diagnoses)
        if pointers:
            line["diagnosis_pointers"] = pointers
        teeth = notes.get("teeth")
        if teeth:
            line["teeth"] = teeth[:_TEETH_MAX]
        if (charge := _charge_of(draft)) is not None:
            line["charge_ids"] = [charge]
        if loop.loops:
            _within_line(loop, line, findings)
        lines.append(line)
    return lines if is_readable else None


def _charge_of(draft: Draft) -> str | None:
    """The charge that a line bills, where its control number (REF*6R) is one."""
    segment = draft.notes.get("control_number")
    if segment is None or draft.notes["charge_ids"] == "none":
        return None
    charge = written_id(segment.get(2))
    if charge is None or len(charge) > _CHARGE_CHARACTERS_MAX:
        draft.note("code-invalid", segment, 2)
        return None
    return charge


def _within_line(loop: Loop, line: Document, findings: Findings) -> None:
    """Read who rendered a line, and its drug."""
    rendering = parties_of(loop, "2420").get("82")
    if rendering is not None:
        line["rendering_provider"] = read_provider(Elements(findings, "2420"), rendering)
    drug = next((one for each in loop.within("2410") for one in each.all("LIN")), None)
    if drug is not None and drug.get(3):
        line["attached"] = {"drug": drug.get(3)[:48]}


def _pointers(draft: Draft, diagnoses: int) -> list[int]:
    pointers: tuple[int, ...] = draft.notes.get("pointers", ())
    fit = [each for each in pointers if each <= diagnoses]
    if len(fit) < len(pointers):
        draft.note("pointer", *draft.notes["pointers_segment"])
    return fit
