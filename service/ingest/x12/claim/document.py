"""An 837 claim put together: its own fields, its providers, its lines."""

from dataclasses import dataclass
from typing import Any

from service.domain.provider import ClaimProvider
from service.ingest.x12.claim.rows import CLAIM, LINE
from service.ingest.x12.fields.mapping import Draft
from service.ingest.x12.fields.people import Party, checked, read_provider, read_taxonomy, role_of
from service.ingest.x12.fields.services import Diagnoses
from service.ingest.x12.wire.elements import Elements
from service.ingest.x12.wire.guide import Kind
from service.ingest.x12.wire.loops import HEADER, Loop
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.results import Document
from service.ingest.x12.wire.segment import Segment

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
    parties: dict[str, Loop]

    @property
    def segment(self) -> Segment:
        """The CLM segment."""
        return self.loop.segments[0]

    @property
    def is_unsure(self) -> bool:
        """Whether something that decides what is billed could not be read."""
        return self.draft.is_unsure or any(each.is_unsure for each, _ in self.lines)


def read_claim(loop: Loop, payer_id: str | None, findings: Findings) -> ClaimDraft:
    """Read a claim loop (2300) and its lines (2400)."""
    claim = ClaimDraft(loop, Draft(findings, "2300"), [], {})
    claim.draft.notes["payer_id"] = payer_id
    CLAIM.read(loop.segments, claim.draft)
    for each in loop.loops:
        if each.name == "2400":
            draft = Draft(findings, "2400")
            draft.notes["payer_id"] = payer_id
            LINE.read(each.segments, draft)
            claim.lines.append((draft, each))
        elif each.name == "2310":
            claim.parties.setdefault(role_of(each), each)
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


def document_of(claim: ClaimDraft, claim_type: str, findings: Findings) -> Document | None:
    """Write the fields of a claim but its ids and member; None where it has no lines or dates."""
    fields = dict(claim.draft.fields)
    notes = claim.draft.notes
    _facility_code(claim, claim_type, fields)
    if not claim.lines:
        findings.add("no-lines", claim.segment, loop="2300")
        return None
    diagnoses: Diagnoses | None = notes.get("diagnoses")
    if diagnoses is not None:
        told = diagnoses.all
        if told:
            fields["diagnoses"] = told[:50]
    for draft, _ in claim.lines:
        if "is_emergency" in draft.notes:
            fields["emergency"] = True
    statement = fields.get("statement")
    if statement and notes.get("is_discharged") and not notes.get("is_still_patient"):
        fields.setdefault("discharge_date", statement["to"])
    _take_providers(claim, claim_type, fields)
    is_dated = bool(statement) or bool(fields.get("admission", {}).get("date"))
    billed = len(diagnoses.billed) if diagnoses else 0
    lines = _lines(claim, billed, findings, is_dated=is_dated)
    if lines is None:
        return None
    fields["lines"] = lines
    return fields


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
        fields["bill_type"] = f"{code.zfill(3)}{fields.get('frequency', '1')}"
    else:
        fields["place_of_service"] = code


def _take_providers(claim: ClaimDraft, claim_type: str, fields: Document) -> None:
    findings, roles = claim.draft.findings, claim.parties
    billing = _billing(claim.loop, findings)
    if billing:
        fields["billing_provider"] = billing
    for field, wanted in (
        ("rendering_provider", RENDERING[claim_type]),
        ("referring_provider", REFERRING),
        ("facility", FACILITY),
    ):
        for role in wanted:
            if role in roles:
                party = read_provider(Elements(findings, "2310"), roles[role])
                if party:
                    fields[field] = party
                break


def _billing(loop: Loop, findings: Findings) -> Party:
    """Read the billing provider (2010AA), with the taxonomy of its level (PRV*BI)."""
    level = loop.above("2000A") or loop.above(HEADER)
    if level is not None and level.billing is not None:
        return Party(level.billing, level.billing.model)
    noted = len(findings.problems)
    party = next(level.within(BILLING), None) if level else None
    elements = Elements(findings, BILLING)
    provider = read_provider(elements, party) if party else Party({})
    taxonomy = read_taxonomy(elements, level) if level else []
    if taxonomy and "taxonomy" not in provider:
        provider = Party({**provider, "taxonomy": taxonomy})
    if level is not None and len(findings.problems) == noted:
        # Thousands of claims may stand under one provider.
        provider = level.billing = provider if provider.model else checked(provider, ClaimProvider)
    return provider


def _by_role(loop: Loop, name: str) -> dict[str, Loop]:
    roles: dict[str, Loop] = {}
    for party in loop.within(name):
        roles.setdefault(role_of(party), party)
    return roles


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
        if loop.loops:
            _within_line(loop, line, findings)
        lines.append(line)
    return lines if is_readable else None


def _within_line(loop: Loop, line: Document, findings: Findings) -> None:
    """Read who rendered a line, and its drug."""
    rendering = _by_role(loop, "2420").get("82")
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
