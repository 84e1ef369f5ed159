"""Under which id and version a 278 response is stored, and which authorization it stands for.

**Id.** ``KIND.NUMBER.HASH``: the kind, the certification number (HCR02 of the event, else the first
of its services), and a hash of kind, person and number. So the same grant has the same id by
whatever format, feed or sender it comes, and a number that two persons share is two grants. The
person is the member id; of a dependent without an own one, with birth date and gender. A confirmed
cancellation is of the number that it names (REF*BB, else HCR02). What has no number is
``KIND.trace.HASH``, of its trace number (TRN02, that of TRN01 2 first) and who requests (2010B:
NPI, else tax number), else ``KIND.reference.HASH``, of REF*NT; a denial with none of them is
``KIND.event.HASH``, of its message (BHT03) and its event (HL01). What grants nothing on a request
to change a standing authorization (UM02 R, S, 4, 1, 2, N, 3) must not replace it: it is
``KIND.change.HASH``, of the same names.

**Aliases.** The ids of all traces and references of an authorization are other names of it: what
was pended under one of them, or is cancelled or decided anew under it, is a version of this
authorization, in whatever order they come; a request to change it that was not granted is not.

**Supersedes.** A granting answer to a revision or an appeal (UM02 S, 1, 2, N) stands for the number
in REF*BB, if that is another one.

**Version.** Milliseconds since 1970 of BHT04 and BHT05, times 1000; plus 250 when pended, 500 when
decided, 750 when cancelled; plus the sum of ISA13 and ST02, modulo 250. A day alone, or a minute,
is made exact by GS04-05 and ISA09-10, which stand in where there is none; of a day whose message
was sent later, the order of sending counts within its last minute. So a decision of the same minute
is newer than its pend, and what was sent later in one minute is newer, but where the numbers turn
over. It stays below 2**53 until 2255.
"""

from service.domain import codes
from service.domain.grant_identity import (
    COUNT_MAX,
    Identity,
    Name,
    Signs,
    identity_of,
    person_of,
    version_at,
)
from service.ingest.x12.fields.mapping import Draft
from service.ingest.x12.fields.people import Patient
from service.ingest.x12.wire.results import Transaction

_DENIED = "A3"


def person_in(patient: Patient, member: str) -> str:
    """Who the patient is, who is called ``member``."""
    is_shared = patient.is_dependent and patient.own_id in (None, patient.subscriber_id)
    return person_of(
        member,
        is_shared=is_shared,
        birth_date=patient.birth_date,
        gender=patient.gender or "",
    )


def identity_in(
    event: Draft,
    actions: set[str | None],
    *,
    kind: str,
    person: str,
    requester: str,
    number: str | None,
    place: tuple[str, str],
) -> Identity | None:
    """The identity of an event; None where nothing tells it from others.

    ``place`` is its message (BHT03) and level (HL01): by them alone only a denial is known.
    """
    names = _names(event, requester)
    if number is None and not any(codes.bare(each[-1]) for each in names):
        names = [("event", requester, *place)] if actions == {_DENIED} and place[0] else []
    return identity_of(
        Signs(
            kind=kind,
            person=person,
            actions=actions,
            certification=event.fields.get("certification_type"),
            number=number,
            previous=next(iter(event.fields.get("previous_numbers", ())), None),
            names=names,
        )
    )


def version_of(transaction: Transaction, actions: set[str | None]) -> int | None:
    """The version of a response; None where no time is known."""
    numbers = (transaction.group.interchange.control_number, transaction.control_number)
    count = sum(int(each) for each in numbers if each.isascii() and each.isdigit())
    return version_at(transaction.order_at, actions, count % (COUNT_MAX + 1))


def _names(event: Draft, requester: str) -> list[Name]:
    traces: list[tuple[str, str, str]] = event.notes.get("traces", [])
    # The number that the requester gave (TRN01 2) is the same in all answers to one request.
    names = [
        ("trace", requester, each[1]) for each in sorted(traces, key=lambda one: one[0] != "2")
    ]
    reference = event.fields.get("administrative_reference", "")
    return [*names, ("reference", reference)]
