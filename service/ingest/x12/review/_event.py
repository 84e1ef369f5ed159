"""A 278 event with its services, put together: which lines stand, and what the whole says."""

from dataclasses import dataclass
from typing import Any

from service.domain import codes
from service.domain.authorization import GRANTING_ACTIONS, VOID_ACTION
from service.domain.grant_identity import CANCELLATION
from service.ingest.x12.fields.mapping import Draft, Rows, filled
from service.ingest.x12.fields.people import take_providers
from service.ingest.x12.fields.quantities import limits_of, shared
from service.ingest.x12.fields.services import Diagnoses
from service.ingest.x12.review.rows import EVENT, SERVICE
from service.ingest.x12.wire.loops import Loop
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.results import Document
from service.ingest.x12.wire.segment import Segment

_PARTIAL, _PENDED, _DENIED, _NO_ACTION = "A2", "A4", "A3", "NA"
_COVERING = GRANTING_ACTIONS | {_NO_ACTION}
"""What counts as active: without a day it would cover what is billed for ever."""

_CONFIRMED = frozenset({"A1", VOID_ACTION})
_UNCLEAR = frozenset({"A2", "A6"})
_INPATIENT_CLASSES = frozenset({"11", "18", "21", "28", "41", "65", "66", "86"})
_ROOM_REVENUE = ("010", "011", "012", "013", "014", "015", "016", "017", "018", "019", "020", "021")
_DENTAL_SERVICES = frozenset(
    {"23", "24", "25", "26", "27", "28", "35", "36", "37", "38", "39", "40", "41"}
)
_ADMISSION, _REFERRAL = "AR", "SC"
_DAYS = ("effective", "requested_dates")


@dataclass(slots=True)
class Event:
    """An event that was read: its own draft and those of its services."""

    draft: Draft
    services: list[Draft]
    setting: str = ""
    is_notice: bool = False

    @property
    def is_decided(self) -> bool:
        """Whether anything was decided (HCR), of the event or of a service."""
        return any("is_decided" in each.notes for each in (self.draft, *self.services))


def read_event(loop: Loop, findings: Findings, *, decides: bool, refuses: bool) -> Event:
    """Read an event and its services; a request decides nothing, whatever it holds.

    Only where its set ``refuses`` anything is it looked through for that.
    """
    loops = loop.within("2000F")
    whole = _read(loop, EVENT, findings, decides=decides)
    services = [_read(each, SERVICE, findings, decides=decides) for each in loops]
    event = Event(whole, services)
    event.setting = setting_of(event)
    for draft, each in zip((whole, *services), (loop, *loops), strict=True):
        if refuses and (refusals := refusals_of(each)):
            draft.notes["refusals"] = refusals
        take_providers(draft, each, event.setting)
    take_other_settings(event)
    return event


def _read(loop: Loop, rows: Rows, findings: Findings, *, decides: bool) -> Draft:
    draft, segments = Draft(findings, loop.name), loop.segments
    decision = None if decides else loop.first("HCR")
    if decision:
        findings.add("request-decides", decision, loop=loop.name)
        segments = [each for each in segments if each.elements[0] != "HCR"]
    rows.read(segments, draft)
    _check_periods(draft, loop)
    return draft


def setting_of(event: Event) -> str:
    """Tell which template finds it: dental, inpatient, outpatient or professional.

    Dental by SV3, teeth, CDT codes, else by a dental service type; inpatient by UM01 AR, a referral
    (SC) with an admission (DTP*435), an inpatient bill type or a room (SV201 010x to 021x);
    outpatient by another bill type or SV2.
    """
    forms: set[str] = set()
    types: set[str] = set()
    bills: list[str] = []
    rooms: list[str] = []
    for draft in (event.draft, *event.services):
        notes, fields = draft.notes, draft.fields
        if "teeth" in notes or notes.get("service", {}).get("code_system") == "CDT":
            return "dental"
        forms.add(notes.get("form", ""))
        types.add(fields.get("service_type", ""))
        if "bill_type" in fields:
            bills.append(codes.bill_type_class(fields["bill_type"]))
        if "revenue_code" in fields:
            rooms.append(fields["revenue_code"].zfill(4))
    if "SV3" in forms or (types & _DENTAL_SERVICES and not forms & {"SV1", "SV2"}):
        return "dental"
    category, admission = (event.draft.fields.get(name) for name in ("category", "admission"))
    if category == _ADMISSION or (category == _REFERRAL and (admission or {}).get("date")):
        return "inpatient"
    if any(each in _INPATIENT_CLASSES for each in bills):
        return "inpatient"
    if any(each.startswith(_ROOM_REVENUE) for each in rooms):
        return "inpatient"
    return "outpatient" if any(bills) or "SV2" in forms else "professional"


def take_other_settings(event: Event) -> None:
    """Say which other claims the same decision is for: all that it names.

    A facility: its claim, inpatient or outpatient by the place. Of a stay, and where a facility's
    service names a person, the professional claim for each service that names a procedure.
    """
    whole, setting = event.draft, event.setting
    for draft in (whole, *event.services):
        fields = draft.fields
        fields.pop("other_settings", None)
        found = ""
        if setting == "professional":
            if fields.get("facility") or whole.fields.get("facility"):
                place = fields.get("place_of_service") or whole.fields.get("place_of_service")
                found = "inpatient" if place in codes.STAY_PLACES else "outpatient"
        elif setting in ("inpatient", "outpatient") and draft.notes.get("service"):
            own = fields.get("servicing_provider") or whole.fields.get("servicing_provider") or {}
            is_person = bool(own) and "organization" not in own
            found = "professional" if is_person or setting == "inpatient" else ""
        if found:
            draft.fields["other_settings"] = [found]


def confirm_cancellation(event: Event) -> bool:
    """Turn a confirmed cancellation (UM02 3 with A1 or C) into the action C.

    Not so where it was modified or certified in part: whether it is cancelled is not clear then.
    """
    whole = event.draft.fields
    certification, action = whole.get("certification_type"), _action(event.draft)
    for draft in event.services:
        own = _action(draft) or action
        if draft.fields.get("certification_type", certification) == CANCELLATION:
            if own in _UNCLEAR:
                return False
            if own in _CONFIRMED:
                draft.fields.setdefault("decision", {})["action"] = VOID_ACTION
    if certification == CANCELLATION:
        if action in _UNCLEAR:
            return False
        left = {_action(draft) for draft in event.services}
        if action in _CONFIRMED or (action is None and left == {VOID_ACTION}):
            whole.setdefault("decision", {})["action"] = VOID_ACTION
    return True


def effective_action(event: Event, service: Draft) -> str | None:
    """The decision in force for a service; a partial certification is not inherited."""
    inherited = _action(event.draft)
    return _action(service) or (_PENDED if inherited == _PARTIAL else inherited)


def actions_of(event: Event) -> set[str | None]:
    """All decisions of an event; of one that is void that one."""
    whole = _action(event.draft)
    if whole == VOID_ACTION:
        return {whole}
    return {whole, *map(_action, event.services)} - ({None} if whole or event.services else set())


def sort_out(event: Event, findings: Findings, services: list[Loop]) -> bool:
    """Leave out the services that must not grant anything; whether the event may stand.

    A service that was refused (AAA) would inherit the grant of its event; one that cannot be read
    would be without its restriction; one without a date would hold for ever.
    """
    draft = event.draft
    if draft.is_unsure and _grants(_action(draft), draft):
        return False
    is_dated = has_day(draft)
    kept: list[Draft] = []
    for service, loop in zip(event.services, services, strict=True):
        action = effective_action(event, service)
        start = loop.start
        if "refusals" in service.notes and "is_decided" not in service.notes:
            findings.add("line-refused", start, loop="2000F")
            continue
        if action in _COVERING:
            unknown = "is_action_unknown" in service.notes
            undated = not (is_dated or has_day(service))
            if undated and not service.is_unsure:
                findings.add("no-dates", *decision_in(loop), loop="2000F")
            if service.is_unsure or draft.is_unsure or unknown or undated:
                findings.add("line-unread", start, loop="2000F")
                continue
        kept.append(service)
    had_services = bool(event.services)
    if len(kept) < len(event.services):
        event.services = kept
        event.setting = setting_of(event)
        take_other_settings(event)
    if had_services and not kept:
        return False
    return bool(kept) or _action(draft) not in _COVERING or is_dated


def decision_in(loop: Loop) -> tuple[Segment | None, int | None]:
    """Where the decision of a loop stands: its action (HCR01), else the loop."""
    decision = loop.first("HCR")
    return (decision, 1) if decision else (loop.start, None)


def take_notice(event: Event) -> None:
    """Give a notification that decides nothing its meaning: no action is needed, or it is void."""
    if event.is_notice and not event.is_decided:
        is_taken_back = event.draft.fields.get("certification_type") == CANCELLATION
        event.draft.fields["decision"] = {"action": VOID_ACTION if is_taken_back else _NO_ACTION}


def undated(event: Event) -> list[Draft]:
    """What covers something and has no day, of its own or of its event."""
    if has_day(event.draft):
        return []
    if not event.services:
        return [event.draft] if _action(event.draft) in _COVERING else []
    return [
        each
        for each in event.services
        if effective_action(event, each) in _COVERING and not has_day(each)
    ]


def hold_undated(event: Event) -> None:
    """Pend what covers something and has no day."""
    for each in undated(event):
        each.fields["decision"] = {**each.fields.get("decision", {}), "action": _PENDED}


def asked_days(event: Event) -> dict[str, str] | None:
    """The days that a request asks for, from the first to the last; None where it names none."""
    found: list[str] = []
    for draft in (event.draft, *event.services):
        spans = [draft.fields.get(name) or {} for name in _DAYS]
        found += [each[end] for each in spans for end in ("from", "to") if end in each]
        found += filled(draft.fields.get("admission", {})).get("date", "").split()
    return {"from": min(found), "to": max(found)} if found else None


def is_denied(event: Event) -> bool:
    """Whether all of it was denied: nothing of what it says was granted."""
    return actions_of(event) == {_DENIED}


def has_day(draft: Draft) -> bool:
    """Whether a draft has a date of validity, of service or of admission."""
    spans = [draft.fields.get(name) or {} for name in _DAYS]
    return any(spans) or bool(draft.fields.get("admission", {}).get("date"))


def lines_of(event: Event, findings: Findings, *, quantity: str) -> list[Document]:
    """Write the lines; a service with several teeth makes one for each.

    What was denied grants no quantity: it is what was requested.
    """
    lines: list[Document] = []
    for draft in event.services:
        teeth: list[dict[str, Any]] = draft.notes.get("teeth") or [{}]
        limits, is_shared = shared(limits_of(draft), len(teeth))
        if not is_shared:
            findings.add("teeth-share", loop=draft.loop)
        is_asked = quantity == "requested" or effective_action(event, draft) == _DENIED
        for tooth in teeth:
            line = {"line": len(lines) + 1}
            line |= _line(draft, "requested" if is_asked else "limits", limits)
            lines.append(line | tooth if tooth else line)
    return lines


def _line(draft: Draft, quantity: str, limits: dict[str, Any] | None) -> Document:
    fields = scope_of(draft)
    fields.pop("previous_numbers", None)
    reference = fields.pop("administrative_reference", None)
    if reference:
        fields.setdefault("attached", {})["administrative_reference"] = reference
    service, traces = draft.notes.get("service", {}), draft.notes.get("traces")
    fields.pop("limits", None)
    told = {
        "procedure": {
            field: service[name] for field, name in _OF_A_PROCEDURE.items() if service.get(name)
        },
        "modifiers": service.get("modifiers"),
        "code": traces[0][1] if traces else None,
        quantity: limits,
    }
    return fields | filled(told)


_OF_A_PROCEDURE = {"from": "procedure", "to": "to", "code_system": "code_system"}


def scope_of(draft: Draft) -> Document:
    """The fields of a draft with its diagnoses."""
    fields = dict(draft.fields)
    diagnoses: Diagnoses | None = draft.notes.get("diagnoses")
    if diagnoses is not None:
        if draft.loop == "2000E" and (told := diagnoses.all):
            fields["diagnoses"] = told
        if diagnoses.others:
            fields["attached"] = {**fields.get("attached", {}), "health_codes": diagnoses.others}
    return fields


def kind_of(event: Event) -> str:
    """Tell a notification (X216), a referral (UM01), an authorization."""
    if event.is_notice:
        return "notification"
    return "referral" if event.draft.fields.get("category") == _REFERRAL else "authorization"


def _action(draft: Draft) -> str | None:
    action: str | None = draft.fields.get("decision", {}).get("action")
    return action


def _grants(action: str | None, draft: Draft) -> bool:
    return action in GRANTING_ACTIONS or "is_action_unknown" in draft.notes


def _check_periods(draft: Draft, loop: Loop) -> None:
    """Leave out a period that ends before it starts: it must not become an open one."""
    for name, first, last in (("effective", "from", "to"), ("admission", "date", "discharge_date")):
        period = draft.fields.get(name)
        if period is None:
            continue
        if period.get(first) and period.get(last) and period[last] < period[first]:
            del period[last]
            draft.unsure("period-reversed", loop.segments[0])


def messages_of(event: Event) -> list[Document]:
    """Write the texts of an event and its services (MSG)."""
    return [
        {"code": draft.loop, "text": text}
        for draft in (event.draft, *event.services)
        for text in draft.notes.get("messages", ())
    ][:500]


def refusals_of(loop: Loop) -> list[Segment]:
    """Find what a level refuses (AAA), and its parties."""
    return [each for one in (loop, *loop.loops) for each in one.segments if each[0][0] == "AAA"]
