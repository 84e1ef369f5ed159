"""Writes a 278 request (005010X217, BHT02 13), and an inquiry about one (005010X215, BHT02 28).

No clock and no counter here: numbers, trace and time are given. The same of them gives the same
bytes, by which the payer knows what comes twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.domain.authorization import Authorization
from service.domain.request import AuthorizationRequest, DocumentReference, Used, as_authorization
from service.domain.values import DateSpan
from service.ingest.x12.reply.answering import (
    TEXT_CHARACTERS_MAX,
    Levels,
    category_of,
    certification,
    health,
    provider,
    providers,
    stay,
    written_service,
)
from service.ingest.x12.wire.reading import segments
from service.ingest.x12.wire.results import Group, Interchange
from service.ingest.x12.wire.segment import Segment
from service.ingest.x12.wire.writing import ControlNumbers, Form, Written, plain, write_answer

_REQUEST, _INQUIRY = Form("HI", "278", "005010X217"), Form("HI", "278", "005010X215")
_ORIGINATOR_OF_NPI = "9"
_GENDERS = frozenset({"F", "M"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Between whom a message goes: the envelope's two parties, and the payer within (NM1*X3)."""

    sender: str
    receiver: str
    payer_id: str
    payer_name: str = ""
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    is_test: bool = False

    @property
    def _group(self) -> Group:
        """What it would answer: the writer turns sender and receiver round."""
        interchange = Interchange(
            sender_qualifier=self.receiver_qualifier,
            sender=self.receiver,
            receiver_qualifier=self.sender_qualifier,
            receiver=self.sender,
            is_test=self.is_test,
        )
        return Group(interchange=interchange)

    def written(
        self, form: Form, numbers: ControlNumbers, at: datetime, body: Sequence[Written]
    ) -> str:
        """Write an interchange with one set."""
        group = self._group
        return write_answer(group.interchange, numbers, at, form, [(group, body)])


def write_request(
    request: AuthorizationRequest,
    trace: str,
    address: Address,
    numbers: ControlNumbers,
    at: datetime,
) -> str:
    """Write a request under its trace number (TRN02), which is the reference of the message, too.

    A cancellation, a revision and the like are requests with another UM02.
    """
    asked, levels = as_authorization(request, trace=trace), Levels()
    body: list[Written] = [["BHT", "0007", "13", trace, f"{at:%Y%m%d}", f"{at:%H%M%S}"]]
    body += _people(request, address, levels)
    body += [levels.open("EV", has_more=bool(asked.lines)), _trace(request, trace)]
    body += _event(request, asked)
    for line in asked.lines:
        body.append(levels.open("SS", has_more=False))
        body += written_service(asked, line.model_copy(update={"limits": line.requested}))
    return address.written(_REQUEST, numbers, at, body)


def write_inquiry(
    request: AuthorizationRequest,
    trace: str,
    address: Address,
    numbers: ControlNumbers,
    at: datetime,
) -> str:
    """Write the question how a request stands: by its trace, its person and its days."""
    asked, levels = as_authorization(request, trace=trace), Levels()
    body: list[Written] = [["BHT", "0007", "28", trace, f"{at:%Y%m%d}", f"{at:%H%M%S}"]]
    body += _people(request, address, levels)
    body += [levels.open("EV", has_more=False), _trace(request, trace)]
    body += [certification(asked, category_of(asked)), _days(request.requested_dates)]
    return address.written(_INQUIRY, numbers, at, body)


def _people(request: AuthorizationRequest, address: Address, levels: Levels) -> Iterator[Written]:
    member, name = request.member, request.patient_name
    yield levels.open("20", has_more=True)
    yield ["NM1", "X3", "2", address.payer_name, *[""] * 4, "PI", address.payer_id]
    yield levels.open("21", has_more=True)
    yield from provider("1P", request.requesting_provider)
    yield levels.open("22", has_more=True)
    last, first = (name.last, name.first or "") if name else ("", "")
    yield ["NM1", "IL", "1", last, first, *[""] * 3, "MI", member.id]
    if member.birth_date:
        gender = member.gender if member.gender in _GENDERS else "U"
        yield ["DMG", "D8", f"{member.birth_date:%Y%m%d}", gender]


def _trace(request: AuthorizationRequest, trace: str) -> Written:
    """Write TRN; the originator is ten characters, 9 before a number that is no tax number."""
    npi = request.requesting_provider.npi or ""
    return ["TRN", "1", trace, f"{_ORIGINATOR_OF_NPI}{npi[:9]}"]


def _event(request: AuthorizationRequest, asked: Authorization) -> Iterator[Written]:
    yield certification(asked, category_of(asked))
    if request.previous_number:
        yield ["REF", "BB", request.previous_number]
    if request.previous_reference:
        yield ["REF", "NT", request.previous_reference]
    yield _days(request.requested_dates)
    if request.admission:
        for qualifier, day in (
            ("435", request.admission.date),
            ("096", request.admission.discharge_date),
        ):
            if day:
                yield ["DTP", qualifier, "D8", f"{day:%Y%m%d}"]
    yield from health(asked)
    yield from stay(asked)
    yield from (_paperwork(each) for each in request.documents)
    if text := texts(request):
        yield ["MSG", text]
    yield from providers(asked)


def _days(span: DateSpan) -> Written:
    """Write DTP*AAH, the days of the event; an open end leaves the first one alone."""
    first, last = span.from_, span.to
    if first and last and first != last:
        return ["DTP", "AAH", "RD8", f"{first:%Y%m%d}-{last:%Y%m%d}"]
    return ["DTP", "AAH", "D8", f"{first:%Y%m%d}"]


def _paperwork(document: DocumentReference) -> Written:
    """Write PWK: what there is, how it comes, and the number by which it is found."""
    found = ["AC", document.control_number] if document.control_number else ["", ""]
    return ["PWK", document.type, document.transmission, "", "", *found, document.description or ""]


def texts(request: AuthorizationRequest) -> str:
    """What is told in words: the note, and what was used of what was granted before."""
    told = [request.note] if request.note else []
    return plain(". ".join([*told, *map(_used, request.evidence)]))[:TEXT_CHARACTERS_MAX]


def _used(used: Used) -> str:
    of = f" OF {used.granted:f}" if used.granted is not None else ""
    return f"USED {used.used:f}{of} {used.unit}" + (f" LINE {used.line}" if used.line else "")


def acknowledged(content: bytes) -> bool | None:
    """Whether a 999 or TA1 says that a message was taken (AK901, TA104); None without either."""
    taken: bool | None = None
    for each in segments([content]):
        if not isinstance(each, Segment):
            continue
        if (each.id == "TA1" and each.get(4) == "R") or (
            each.id == "AK9" and each.get(1) not in ("A", "E", "P")
        ):
            return False
        if each.id == "AK9":
            taken = True
    return taken
