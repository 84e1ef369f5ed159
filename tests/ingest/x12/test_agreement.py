"""Others read the same: pyx12 the same segments, x12sdk the same claims, where they can."""

import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyx12.x12file import X12Reader as Tokens
from x12sdk.io import X12ModelReader

from benchmarks.x12_files import claims_837, reviews_278
from service.domain.claim import Claim
from service.ingest.x12.wire.reading import segments
from service.ingest.x12.wire.segment import Segment
from tests.ingest.x12.edi import MESSAGES, claims

SEVERAL_SEPARATORS = "several-interchanges.edi"
"""The other reader takes the separators of the first interchange for all."""

FILES = {
    path.name: path.read_text()
    for path in sorted(MESSAGES.glob("*.edi"))
    if path.name != SEVERAL_SEPARATORS
} | {
    "a written 837": b"".join(claims_837(100_000)).decode(),
    "written 278s": b"".join(reviews_278(100_000)).decode(),
}


def trimmed(elements: list[str], component: str) -> list[str]:
    """A segment without what is empty at the end of it and of its composites."""
    cut = [each.strip(" ").rstrip(component) for each in elements]
    while cut and not cut[-1]:
        cut.pop()
    return cut


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_segments_are_those_of_pyx12(name: str) -> None:
    """Segment for segment, element for element."""
    text = FILES[name]
    ours = [each for each in segments([text.encode()]) if isinstance(each, Segment)]
    mark = ours[0].delimiters.component
    tokens = Tokens(io.StringIO(text))
    theirs = [
        [each.get_seg_id(), *(part.format(tokens.subele_term) for part in each.elements)]
        for each in tokens
    ]

    assert len(ours) == len(theirs) > 10
    # Of the ISA the last element is the separator itself.
    assert [trimmed(list(each.elements), mark) for each in ours[1:]] == [
        trimmed(each, mark) for each in theirs[1:]
    ]


SERVICE_NAMES = ("sv1_segment", "sv2_segment")


def loops_of(model: object) -> Iterator[Any]:
    """The claim loops (2300) of a transaction set of x12sdk, in their order."""
    for billing in model.loop_2000a:  # type: ignore[attr-defined]
        for subscriber in billing.loop_2000b:
            yield from subscriber.loop_2300 or ()
            for patient in subscriber.loop_2000c or ():
                yield from patient.loop_2300 or ()


def days_of(found: object) -> tuple[date, date] | None:
    """The first and last day of the DTP*472 of a line."""
    each: Any
    for each in found if isinstance(found, list) else [found] if found else []:
        if str(getattr(each.date_time_qualifier, "value", each.date_time_qualifier)) != "472":
            continue
        days = re.findall(r"\d{8}", str(each.date_time_period).replace("-", ""))
        return date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    return None


def told(line: Any) -> tuple[object, ...]:
    """Number, procedure, charge, units and days of a service line of x12sdk."""
    service = next(each for name in SERVICE_NAMES if (each := getattr(line, name, None)))
    composite = getattr(service, "product_service_id_qualifier", None) or getattr(
        service, "composite_medical_procedure_identifier", None
    )
    parts = str(composite or "").split(":")
    return (
        int(line.lx_segment.assigned_number),
        parts[1] if len(parts) > 1 else None,
        tuple(parts[2:6]),
        getattr(service, "service_line_revenue_code", None),
        service.line_item_charge_amount,
        service.service_unit_count,
        days_of(line.dtp_segment),
    )


def of_claim(claim: Claim) -> tuple[object, ...]:
    """The same of a claim of ours."""
    return claim.claim_id, tuple(
        (
            line.line,
            line.procedure,
            line.modifiers,
            line.revenue_code,
            line.charge,
            line.units,
            (line.from_, line.to) if line.from_ else None,
        )
        for line in claim.lines
    )


@pytest.mark.parametrize(
    ("name", "count"),
    [("claim-two-patients.edi", 2), ("claim-stay.edi", 1), ("a written 837", 500)],
)
def test_the_claims_are_those_of_x12sdk(name: str, count: int) -> None:
    """Id, lines, procedures, charges, units and days; the charges sum up to that of the claim."""
    text = FILES[name].replace("\n", "")
    with X12ModelReader(text) as reader:
        theirs = [each for model in reader.models() for each in loops_of(model)]
    ours = [each.claim for each in claims(text)]

    assert len(ours) == count
    assert [of_claim(each) for each in ours] == [
        (each.clm_segment.patient_control_number, tuple(map(told, each.loop_2400)))
        for each in theirs
    ]
    assert [sum((line.charge or Decimal() for line in each.lines), Decimal()) for each in ours] == [
        each.clm_segment.total_claim_charge_amount for each in theirs
    ]
