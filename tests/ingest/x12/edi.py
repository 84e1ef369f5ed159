"""Small X12 messages: a test writes the segments it is about, the rest stands here."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from service.ingest.x12._reader import read
from service.ingest.x12.fields.policy import WIRE_POLICY, ReadingPolicy
from service.ingest.x12.wire.results import (
    AuthorizationRead,
    ClaimRead,
    Content,
    InquiryRead,
    InterchangeOutcome,
    Item,
    Refusal,
    RequestRead,
    TransactionOutcome,
)

MESSAGES = Path(__file__).parents[1] / "messages"

REVIEW, PROFESSIONAL = "005010X217", "005010X222A1"
INSTITUTIONAL, DENTAL = "005010X223A2", "005010X224A2"

ISA = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       "
    "*260301*1200*^*00501*000000905*0*P*:"
)

_UPPER_REVIEW = (
    "HL*1**20*1",
    "NM1*X3*2*PLAN*****PI*P100",
    "HL*2*1*21*1",
    "NM1*1P*1*ROE*RICHARD****XX*1999999984",
)
_MEMBER = ("HL*3*2*22*1", "NM1*IL*1*DOE*JANE****MI*M0001", "DMG*D8*19800502*F")
_EVENT = "HL*4*3*EV*1"


def interchange(*sets: str, guide: str = REVIEW, group: str = "HI") -> str:
    """Put transaction sets into a group and an interchange."""
    return (
        f"{ISA}~GS*{group}*SENDER*RECEIVER*20260301*1200*17*X*{guide}~"
        f"{''.join(sets)}GE*{len(sets)}*17~IEA*1*000000905~"
    )


def transaction(*segments: str, set_id: str = "278", number: str = "0001", st03: str = "") -> str:
    """Put segments between ST and SE."""
    start = f"ST*{set_id}*{number}" + (f"*{st03}" if st03 else "")
    return "~".join([start, *segments, f"SE*{len(segments) + 2}*{number}"]) + "~"


def review(
    *event: str,
    bht: str = "BHT*0007*11*REF1*20260220*1504*18",
    member: Iterable[str] = _MEMBER,
    guide: str = REVIEW,
) -> str:
    """Write a 278 with one event: the segments of the event, HL*..*SS among them."""
    segments = (bht, *_UPPER_REVIEW, *member, _EVENT, *event)
    return interchange(transaction(*segments, st03=guide), guide=guide)


GRANTED = ("TRN*2*T1*9012345678", "UM*HS*I*1*11:B", "HCR*A1*AU1", "DTP*AAH*RD8*20260301-20260531")
SERVICE = "HL*5*4*SS*0"


def claim(
    *segments: str,
    guide: str = PROFESSIONAL,
    clm: str | None = None,
    patient: Iterable[str] = (),
    payer: str = "P100",
) -> str:
    """Write an 837 with one claim: the segments behind CLM."""
    return interchange(
        transaction(
            *claim_segments(*segments, guide=guide, clm=clm, patient=patient, payer=payer),
            set_id="837",
            st03=guide,
        ),
        guide=guide,
        group="HC",
    )


def claim_segments(
    *segments: str,
    guide: str = PROFESSIONAL,
    clm: str | None = None,
    patient: Iterable[str] = (),
    payer: str = "P100",
) -> list[str]:
    """Give the segments of an 837 between ST and SE."""
    place = "13:A:1" if guide == INSTITUTIONAL else "11:B:1"
    return [
        "BHT*0019*00*B1*20260315*0900*CH",
        "NM1*41*2*BILLER*****46*B1",
        "NM1*40*2*PLAN*****46*R1",
        "HL*1**20*1",
        "PRV*BI*PXC*225100000X",
        "NM1*85*2*CLINIC*****XX*1234567893",
        "REF*EI*741234567",
        "HL*2*1*22*1",
        "SBR*P*18*******CI",
        "NM1*IL*1*DOE*JANE****MI*M0001",
        "DMG*D8*19800502*F",
        f"NM1*PR*2*PLAN*****PI*{payer}",
        *patient,
        clm or f"CLM*C1*240***{place}*Y*A*Y*Y",
        *segments,
    ]


LINES = {
    PROFESSIONAL: ("LX*1", "SV1*HC:97110:GP*60*UN*2***1", "DTP*472*D8*20260312"),
    INSTITUTIONAL: ("LX*1", "SV2*0420*HC:97110*60*UN*2", "DTP*472*D8*20260312"),
    DENTAL: ("LX*1", "SV3*AD:D2392*60****1", "DTP*472*D8*20260312"),
}
DIAGNOSIS = "HI*ABK:M5450*ABF:M5416"


def items(text: str | bytes, policy: ReadingPolicy = WIRE_POLICY) -> list[Item]:
    """Read a message."""
    return list(read([text.encode() if isinstance(text, str) else text], policy))


def authorizations(text: str | bytes) -> list[AuthorizationRead]:
    """Read the authorizations of a message."""
    return [each for each in items(text) if isinstance(each, AuthorizationRead)]


def authorization(text: str | bytes) -> dict[str, Any]:
    """Read the one authorization of a message, as JSON."""
    (read_,) = authorizations(text)
    return read_.document


def claims(text: str | bytes, policy: ReadingPolicy = WIRE_POLICY) -> list[ClaimRead]:
    """Read the claims of a message."""
    return [each for each in items(text, policy) if isinstance(each, ClaimRead)]


def claim_document(text: str | bytes) -> dict[str, Any]:
    """Read the one claim of a message, as JSON."""
    (read_,) = claims(text)
    return read_.document


def requests(text: str) -> list[RequestRead]:
    """Read the requests of a message."""
    return [each for each in items(text) if isinstance(each, RequestRead)]


def sets(text: str | bytes) -> list[TransactionOutcome]:
    """Read what became of the transaction sets of a message."""
    return [each for each in items(text) if isinstance(each, TransactionOutcome)]


def outcome(text: str | bytes) -> InterchangeOutcome:
    """Read what became of the one interchange of a message."""
    (one,) = (each for each in items(text) if isinstance(each, InterchangeOutcome))
    return one


def codes(text: str | bytes) -> list[str]:
    """Give the codes of the problems of all transaction sets of a message."""
    return [problem.code for one in sets(text) for problem in one.problems]


def at(document: dict[str, Any], path: str) -> Any:
    """Give the value at a dotted path, None where there is none."""
    value: Any = document
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = (value or {}).get(name)
    return value


def as_json(item: Content) -> Mapping[str, Any]:
    """Give what was read of an event or a claim, with place and problems, ready to be written."""
    transaction = item.transaction
    document = getattr(item, "document", None)
    told: dict[str, Any] = {
        "kind": transaction.kind,
        "interchange": transaction.group.interchange.control_number,
        "group": transaction.group.control_number,
        "transaction": transaction.control_number,
        "problems": [each.as_json() for each in item.problems],
    }
    if isinstance(item, Refusal):
        told |= {
            "loop": item.loop,
            "reasons": list(item.reasons),
            "follow_up": item.follow_up,
            "trace_numbers": list(item.trace_numbers),
        }
    if isinstance(item, ClaimRead | AuthorizationRead | RequestRead | InquiryRead):
        told["payer_id"] = item.payer_id
    return {**told, "document": document}
