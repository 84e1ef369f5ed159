"""A request for an authorization, as it is sent to a payer; and those that follow from one.

Seed 000 names what it captures: payer, member, service code, units, dates, supporting documents.
Codes are those of the X12 278 005010X217.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from service.domain import codes
from service.domain.authorization import (
    Action,
    Admission,
    Authorization,
    AuthorizationLine,
    Decision,
    Diagnosis,
    Limits,
    Member,
    Procedure,
    Setting,
)
from service.domain.charge import Charge
from service.domain.claim import Claim
from service.domain.claim_values import days_of
from service.domain.grant_identity import CHANGING, Signs, identity_of, person_of
from service.domain.misfits import Path, refuse, repeated
from service.domain.provider import AuthorizedProvider
from service.domain.values import (
    Code,
    DateSpan,
    Frozen,
    Identifier,
    LineNumber,
    Number,
    Text,
)

Certification = Literal["I", "R", "S", "4", "1", "2", "N", "3"]
"""UM02 (element 1322): initial, renewal, revised, extension, appeal at once, appeal,
reconsideration, cancel."""

SERVICES_MAX = 99
DOCUMENTS_MAX = 10
"""PWK stands ten times at most at an event."""
DIAGNOSES_MAX = 12
_MODIFIERS_MAX = 4
_NOTE_MAX = 264
"""MSG01 takes so many characters."""
_BY_REFERENCE = frozenset({"BM", "EL", "EM", "FX"})
_DAY = timedelta(days=1)
_PENDING = "A4"
_KEPT_HERE = {"request_id", "charges", "copied_from"}
_SEPARATORS = frozenset("*:^~")
_SEPARATED = "* : ^ ~ separate the parts of a message: a text that is sent has none of them"

WireText = Annotated[Text, Field(pattern=r"^[^*:^~]*$")]
"""A text that goes into a message as it is: none of it is one of the separators."""


class PatientName(Frozen):
    """What the payer knows the patient by beside the id; it is kept with the request alone."""

    last: WireText
    first: WireText | None = None


class DocumentReference(Frozen):
    """A supporting document, by reference (PWK): what it is, how it comes, and its number."""

    type: Annotated[Code, Field(description="PWK01, such as OZ, DS, CT.")]
    transmission: Annotated[
        Literal["AA", "BM", "EL", "EM", "FX", "VO"],
        Field(description="PWK02: available on request, by mail, file, e-mail, fax, voice."),
    ]
    control_number: WireText | None = None
    description: WireText | None = None


class RequestedService(Frozen):
    """A service that is asked for, and how much of it."""

    line: LineNumber
    procedure: Procedure | None = None
    modifiers: tuple[Code, ...] = Field(default=(), max_length=_MODIFIERS_MAX)
    revenue_code: Code | None = None
    service_type: Code | None = None
    tooth: Code | None = None
    surfaces: tuple[Code, ...] = Field(default=(), max_length=5)
    oral_cavity: tuple[Code, ...] = Field(default=(), max_length=5)
    requested: Limits
    requested_dates: DateSpan | None = None
    place_of_service: Code | None = None


class Used(Frozen):
    """What was granted and used of a line so far: why more is asked for; no line is all of it."""

    line: LineNumber | None = None
    unit: Code
    granted: Decimal | None = None
    used: Decimal


class AuthorizationRequest(Frozen):
    """What is asked of a payer; one that follows from another names the number it is about.

    ``charges`` are those that need it, as they are to be attached; ``copied_from`` is the request
    before, ``evidence`` the use of the authorization before.
    """

    request_id: Identifier
    kind: Literal["authorization", "referral"] = "authorization"
    setting: Setting
    certification_type: Certification = "I"
    member: Member
    patient_name: PatientName | None = None
    service_type: Code | None = None
    place_of_service: Code | None = None
    bill_type: Code | None = None
    urgency: Literal["U", "E", "03"] | None = None
    requested_dates: DateSpan
    admission: Admission | None = None
    requesting_provider: AuthorizedProvider
    servicing_provider: AuthorizedProvider | None = None
    facility: AuthorizedProvider | None = None
    diagnoses: tuple[Diagnosis, ...] = Field(default=(), max_length=DIAGNOSES_MAX)
    lines: tuple[RequestedService, ...] = Field(default=(), max_length=SERVICES_MAX)
    documents: tuple[DocumentReference, ...] = Field(default=(), max_length=DOCUMENTS_MAX)
    note: Annotated[WireText, Field(max_length=_NOTE_MAX)] | None = None
    previous_number: Annotated[Number, Field(pattern=r"^[^*:^~]*$", max_length=50)] | None = None
    previous_reference: Annotated[WireText, Field(max_length=50)] | None = None
    charges: tuple[Charge, ...] = Field(default=(), max_length=100)
    copied_from: Identifier | None = None
    evidence: tuple[Used, ...] = Field(default=(), max_length=SERVICES_MAX + 1)

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        refuse("AuthorizationRequest", self._misfits())
        return self

    @property
    def is_expedited(self) -> bool:
        """Whether it is urgent (UM06 U) or an emergency (03)."""
        return self.urgency in ("U", "03")

    def _misfits(self) -> Iterator[tuple[Path, str]]:
        yield from self._missing()
        said = self.model_dump(by_alias=True, exclude=_KEPT_HERE, exclude_none=True)
        yield from ((path, _SEPARATED) for path in _separated(said, ()))
        for place in repeated(each.line for each in self.lines):
            yield ("lines", place, "line"), "this line stands twice in the request"
        for place, line in enumerate(self.lines):
            yield from ((("lines", place, *path), why) for path, why in _misfits_of(line))
        for place in repeated(each.charge_id for each in self.charges):
            yield ("charges", place, "charge_id"), "this charge stands twice in the request"
        for place, charge in enumerate(self.charges):
            if codes.bare(charge.member.id) != codes.bare(self.member.id):
                yield ("charges", place, "member", "id"), "a charge of another member"
        for place, each in enumerate(self.documents):
            if each.transmission in _BY_REFERENCE and each.control_number is None:
                reason = "a document that is sent is found by its number (PWK06)"
                yield ("documents", place, "control_number"), reason

    def _missing(self) -> Iterator[tuple[Path, str]]:
        if self.requesting_provider.npi is None:
            yield ("requesting_provider", "npi"), "the payer knows who asks by the NPI"
        if self.requested_dates.from_ is None:
            yield ("requested_dates", "from"), "a request needs its first day"
        if not (self.lines or self.service_type or self.admission):
            yield ("lines",), "nothing is asked for: no service, no service type, no stay"
        if self.setting == "inpatient" and (self.admission is None or self.admission.date is None):
            yield ("admission", "date"), "a stay needs its day of admission (DTP*435)"
        if self.setting != "dental" and not self.diagnoses and self.certification_type != "3":
            yield ("diagnoses",), "a payer asks for the diagnosis (HI)"
        if self.certification_type in CHANGING and not (
            self.previous_number or self.previous_reference
        ):
            reason = "what changes or renews names the number it had (REF*BB), or the reference"
            yield ("previous_number",), reason


def _separated(said: object, path: Path) -> Iterator[Path]:
    """The places of texts that hold a separator: another text would be sent for them.

    That is no matter for the name of a provider, who is known by a number.
    """
    if isinstance(said, str):
        if not _SEPARATORS.isdisjoint(said):
            yield path
    elif isinstance(said, Mapping):
        for name, each in said.items():
            if name != "name":
                yield from _separated(each, (*path, name))
    elif isinstance(said, list | tuple):
        for place, each in enumerate(said):
            yield from _separated(each, (*path, place))


def _misfits_of(line: RequestedService) -> Iterator[tuple[Path, str]]:
    procedure, asked = line.procedure, line.requested
    if procedure is not None and procedure.group is not None:
        yield ("procedure", "group"), "a 278 has no place for a group of codes"
    if not (procedure or line.revenue_code or line.service_type):
        yield ("procedure",), "a service needs its code, revenue code or service type"
    if asked.units is None and asked.per is None:
        yield ("requested", "units"), "how many are asked for"
    elif (asked.units if asked.per is None else asked.per.count) == 0:
        yield ("requested", "units"), "nothing is asked for"


_OF_LINE = tuple(RequestedService.model_fields)
_OF_WHOLE: tuple[str, ...] = (
    "kind",
    "setting",
    "member",
    "certification_type",
    "service_type",
    "bill_type",
    "place_of_service",
    "urgency",
    "requested_dates",
    "admission",
    "requesting_provider",
    "servicing_provider",
    "facility",
    "diagnoses",
)


def as_authorization(
    request: AuthorizationRequest, *, trace: str, action: Action | None = None
) -> Authorization:
    """The request as the authorization that it would become: nothing is granted in it.

    With A4 as ``action`` it is the row that stands until the payer answers, under the id that an
    answer to the trace number has; version 1, so that any answer is newer.
    """
    member, provider = request.member, request.requesting_provider
    identity = identity_of(
        Signs(
            kind=request.kind,
            person=person_of(member.id),
            actions={_PENDING},
            certification=request.certification_type,
            names=[("trace", provider.npi or "", trace)],
        )
    )
    decision = Decision(action=action) if action else None
    return Authorization(
        authorization_id=identity.authorization_id if identity else trace,
        version=1,
        decision=decision,
        previous_numbers=tuple(filter(None, (request.previous_number,))),
        administrative_reference=request.previous_reference,
        requester_reference=trace,
        trace_numbers=(trace,),
        lines=tuple(
            AuthorizationLine(**{name: getattr(each, name) for name in _OF_LINE})
            for each in request.lines
        ),
        **{name: getattr(request, name) for name in _OF_WHOLE},
    )


Json = dict[str, Any]

_OWN = {"request_id", "certification_type", "copied_from", "evidence", "charges"}
_NUMBERS = {"previous_number", "previous_reference"}
_AGAIN = set(_OF_WHOLE) - {"certification_type", "requested_dates"}


def form_of(request: AuthorizationRequest) -> Json:
    """A request as plain JSON, without what is not said."""
    return request.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def copied_forward(
    former: Json,
    changes: Mapping[str, Any],
    *,
    certification: Certification,
    number: str | None,
    reference: str | None,
    today: date,
) -> Json:
    """The next message about what a former one asked for: all of it again, with the changes.

    A renewal asks for as many days, from the day after the last one. ``changes`` are a merge patch
    (RFC 7396). What it makes may want more before it can be sent.
    """
    kept = {name: value for name, value in former.items() if name not in _OWN | _NUMBERS}
    if certification in CHANGING:
        kept |= {"previous_number": number, "previous_reference": reference}
    if certification == "R":
        kept["requested_dates"] = _next_span(kept["requested_dates"], today)
        kept["lines"] = [
            {name: value for name, value in line.items() if name != "requested_dates"}
            for line in kept.get("lines", ())
        ]
    kept |= {"certification_type": certification, "charges": former.get("charges", [])}
    return dict(_patched(kept, changes))


def _next_span(span: Mapping[str, str], today: date) -> Json:
    if "from" not in span:
        return {}
    first = date.fromisoformat(span["from"])
    last = date.fromisoformat(span["to"]) if "to" in span else None
    if last is None:
        return {"from": max(first, today).isoformat()}
    return {"from": (last + _DAY).isoformat(), "to": (last + (last - first) + _DAY).isoformat()}


def _patched(value: Any, patch: Any) -> Any:
    """RFC 7396: null takes away, an object goes in, all else stands in place."""
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(value) if isinstance(value, Mapping) else {}
    for name, each in patch.items():
        if each is None:
            kept.pop(name, None)
        else:
            kept[name] = _patched(kept.get(name), each)
    return kept


def asked_for(claim: Claim, number: int) -> Json:
    """What a request would be that asks for what a claim line is; what it does not say is missing.

    An institutional claim with an admission is a stay (X217 UM01 AR), else outpatient.
    """
    line = next(each for each in claim.lines if each.line == number)
    said = claim.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    service = line.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    first, last = days_of(claim, line)
    institution = "inpatient" if claim.admission else "outpatient"
    rendering = line.rendering_provider or claim.rendering_provider
    procedure = {"from": line.procedure, "code_system": line.code_system} if line.procedure else {}
    form: Json = {
        "setting": institution if claim.type == "institutional" else claim.type,
        "member": {name: said["member"].get(name) for name in ("id", "birth_date", "gender")},
        "place_of_service": line.place_of_service or claim.place_of_service,
        "bill_type": claim.bill_type,
        "urgency": "03" if claim.emergency else None,
        "requested_dates": {"from": first.isoformat(), "to": last.isoformat()},
        "admission": said.get("admission"),
        "requesting_provider": {"npi": claim.billing_provider.npi},
        "servicing_provider": {"npi": rendering.npi if rendering else None},
        "facility": {"npi": claim.facility.npi if claim.facility else None},
        "diagnoses": said.get("diagnoses", [])[:DIAGNOSES_MAX],
        "lines": [
            {
                "line": 1,
                "procedure": procedure,
                "modifiers": service.get("modifiers", [])[:_MODIFIERS_MAX],
                "revenue_code": line.revenue_code,
                "tooth": line.teeth[0].tooth if line.teeth else None,
                "requested": {"units": service.get("units"), "unit": line.unit},
            }
        ],
    }
    return {name: each for name, each in _stated(form).items() if each}


def _stated(value: Any) -> Any:
    """The same without what says nothing."""
    if isinstance(value, list):
        return [_stated(each) for each in value]
    if not isinstance(value, dict):
        return value
    said = {name: _stated(each) for name, each in value.items()}
    return {name: each for name, each in said.items() if each not in (None, {}, [])}


def asked_again(authorization: Authorization, used: Sequence[Used]) -> Json:
    """What a request would be that asks for an authorization as it stands, with its use.

    What was used beyond what was granted is asked for (seed 000: request an amendment).
    """
    valid = authorization.effective or authorization.requested_dates
    over = {each.line: each.used for each in used}
    lines = [_service_again(line, over.get(line.line)) for line in authorization.lines]
    valid = valid or next((each.effective for each in authorization.lines if each.effective), None)
    form = authorization.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, include=_AGAIN
    )
    return form | {
        "requested_dates": valid.model_dump(mode="json", by_alias=True, exclude_none=True)
        if valid
        else {},
        "lines": [line for line in lines if line],
        "diagnoses": form.get("diagnoses", [])[:DIAGNOSES_MAX],
    }


def _service_again(line: AuthorizationLine, used: Decimal | None) -> Json:
    asked = line.limits or line.requested
    if line.removed_on is not None or asked is None:
        return {}
    if asked.units is not None and used is not None and used > asked.units:
        asked = asked.model_copy(update={"units": used})
    names = set(RequestedService.model_fields) - {"requested", "requested_dates"}
    form = line.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=names)
    shown = asked.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return form | {"requested": {name: shown[name] for name in shown if name != "renewal"}}


def differences(former: Any, now: Any, path: str = "") -> Iterator[Json]:
    """Where a request differs from the one it was copied from: the path, what was, what is."""
    if isinstance(former, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys((*former, *now)):
            if path or name not in _OWN:
                yield from differences(former.get(name), now.get(name), f"{path}/{name}")
    elif isinstance(former, list) and isinstance(now, list):
        for place in range(max(len(former), len(now))):
            was, is_ = (each[place] if place < len(each) else None for each in (former, now))
            yield from differences(was, is_, f"{path}/{place}")
    elif former != now:
        yield {"path": path, "was": former, "is": now}
