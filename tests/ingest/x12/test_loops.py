"""The loops are found by HL, and where HL is missing or wrong, by order and content."""

import pytest

from service.domain.grant_identity import grant_id
from service.ingest.x12.wire.loops import Loop, Walker
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.segment import Delimiters, Segment
from service.ingest.x12.wire.structure import CLAIM, REVIEW
from tests.ingest.x12.edi import (
    GRANTED,
    LINES,
    PROFESSIONAL,
    SERVICE,
    authorization,
    authorizations,
    claim,
    claims,
    codes,
    interchange,
    review,
    sets,
    transaction,
)


def shape(loop: Loop) -> object:
    """A loop as names of its segments and of the loops within it."""
    own = " ".join(each.id for each in loop.segments)
    return (f"{loop.name}: {own}", *map(shape, loop.loops)) if loop.loops else f"{loop.name}: {own}"


def walk(structure: object, *texts: str) -> tuple[list[object], list[str]]:
    """The units that these segments make, and the problems."""
    findings = Findings()
    walker = Walker(structure, findings)  # type: ignore[arg-type]
    marks = Delimiters("*", ":", "^", "~")
    closed: list[Loop] = []
    for place, text in enumerate(texts, 1):
        closed += walker.take(Segment(tuple(text.split("*")), place, 0, marks))
    closed += walker.end()
    return [shape(each) for each in closed], [each.code for each in findings.problems]


def test_the_loops_of_an_event() -> None:
    """Parties in their loops, services under their event, levels without event alone."""
    units, problems = walk(
        REVIEW, "HL*1**20", "NM1*X3", "HL*2*1*21", "NM1*1P", "HL*3*2*22", "NM1*IL", "DMG*D8",
        "HL*4*3*EV", "TRN*2", "NM1*SJ", "REF*EI", "PRV*PE", "HCR*A1", "NM1*PW", "N3*1",
        "HL*5*4*SS", "SV1*x", "NM1*SJ", "HL*6*4*SS", "SV1*y",
    )  # fmt: skip

    assert units == [
        (
            "2000E: HL TRN HCR",
            "2010EA: NM1 REF PRV",
            "2010EC: NM1 N3",
            ("2000F: HL SV1", "2010FA: NM1"),
            "2000F: HL SV1",
        )
    ]
    assert problems == []


def test_the_loops_of_a_claim() -> None:
    """Other payers and adjudications keep their own segments."""
    units, problems = walk(
        CLAIM, "NM1*41", "HL*1**20", "NM1*85", "HL*2*1*22", "SBR*P", "NM1*IL", "NM1*PR",
        "CLM*1", "DTP*434", "NM1*82", "PRV*PE", "HI*x", "NM1*77", "REF*G1", "SBR*S", "NM1*PR",
        "REF*G1", "LX*1", "SV1*x", "NM1*82", "LIN**N4", "REF*XZ", "SVD*x", "DTP*573", "LX*2",
        "LQ*UT", "FRM*1", "CLM*2", "LX*1",
    )  # fmt: skip

    assert units == [
        (
            "2300: CLM DTP HI REF",
            "2310: NM1 PRV",
            "2310: NM1",
            ("2320: SBR REF", "2330: NM1"),
            ("2400: LX SV1", "2420: NM1", "2410: LIN REF", "2430: SVD DTP"),
            ("2400: LX", "2440: LQ FRM"),
        ),
        ("2300: CLM", "2400: LX"),
    ]
    assert problems == []


def test_an_event_hangs_off_the_patient_that_it_names() -> None:
    """Off the subscriber, though a dependent came before."""
    units, _ = walk(
        REVIEW, "HL*1**20", "HL*2*1*21", "HL*3*2*22", "HL*4*3*23", "HL*5*4*EV", "HL*6*3*EV",
    )  # fmt: skip

    assert units == ["2000E: HL", "2000E: HL"]


@pytest.mark.parametrize("parent", ["", "99", "5", "3"])
def test_a_service_that_names_another_parent_goes_with_its_event(parent: str) -> None:
    """By order; that is told."""
    text = review(*GRANTED, f"HL*5*{parent}*SS*0", "SV1*HC:97110")

    assert len(authorization(text)["lines"]) == 1
    assert "hl-parent" in codes(text)


def test_an_unknown_level_is_told() -> None:
    """HL03 of another guide; with nothing in it, it says nothing."""
    text = review(*GRANTED, "HL*5*4*ZZ*0", *["HL*6*5*QQ*0"] * 50)

    assert authorization(text)["decision"]["action"] == "A1"
    assert "hl-level" in codes(text)


_EVENT, _PROVIDER = "HL*4*3*EV*1~", "NM1*SJ*1*ROE*RICHARD****XX*1999999984"


@pytest.mark.parametrize(
    "text",
    [
        review(*GRANTED, "HL*5*4*ZZ*0", "HCR*A3"),
        review(*GRANTED).replace(_EVENT, "HL*4*3*19*1~"),
        review(_PROVIDER, SERVICE, *GRANTED).replace(_EVENT, "HL*4*3*19*1~"),
        review(*GRANTED).replace(_EVENT, "HL*4*3*PT*1~HL*5*4*EV*1~"),
        claim(*LINES[PROFESSIONAL], patient=("HL*3*2*PT*0", "PAT*19")),
    ],
    ids=["decides", "an event", "release 4010", "a patient", "a claim's patient"],
)
def test_what_stands_in_an_unknown_level_is_left_out(text: str) -> None:
    """It may be another person's, or a restriction: nothing is granted or billed by guess."""
    assert (authorizations(text), claims(text)) == ([], [])
    assert {"hl-level", "hl-unread"} <= set(codes(text))
    assert [each.unread for each in sets(text)] == [1]


@pytest.mark.parametrize("above", [0, 2, 4])
def test_what_is_decided_above_the_patient_is_not_lost(above: int) -> None:
    """HCR in the header, with the payer, or with the requester: an event without its member."""
    levels = ("HL*1**20*1", "NM1*X3*2*PLAN", "HL*2*1*21*1", "NM1*1P*1*ROE")[:above]
    bht = "BHT*0007*11*REF1*20260220*1504*18"
    text = interchange(transaction(bht, *levels, *GRANTED[1:], st03="005010X217"))

    assert authorizations(text) == []
    assert {"loop-implied", "no-member"} <= set(codes(text))


def test_a_response_in_which_nothing_is_decided_is_told() -> None:
    """No event at all, and no refusal."""
    bht = "BHT*0007*11*REF1*20260220*1504*18"
    text = interchange(transaction(bht, "HL*1**20*1", "NM1*X3*2*PLAN", st03="005010X217"))

    assert codes(text) == ["no-event"]


def test_an_event_without_its_level_is_told_by_content() -> None:
    """UM and HCR right under the subscriber."""
    text = review(*GRANTED).replace("HL*4*3*EV*1~", "")

    assert authorization(text)["number"] == "AU1"
    assert "loop-implied" in codes(text)


def test_a_service_without_its_event_does_not_decide_for_it() -> None:
    """HL SS under the subscriber: an event is implied, with nothing of its own."""
    text = review().replace("HL*4*3*EV*1~", f"{SERVICE}~HCR*A1*AU1~DTP*472*D8*20260301~SV1*HC:1~")
    undecided = review().replace("HL*4*3*EV*1~", f"{SERVICE}~SV1*HC:1~")

    assert authorization(text.replace("HL*5*4*SS", "HL*5*3*SS"))["lines"]
    assert authorizations(undecided) == []
    assert {"loop-implied", "no-decision"} <= set(codes(undecided))


def test_services_without_their_levels_are_told_by_content() -> None:
    """SV1 right in the event: each is a line."""
    text = review(*GRANTED, "SV1*HC:97110", "HSD*VS*3", "SV1*HC:97140")
    lines = authorization(text)["lines"]

    assert [line["procedure"]["from"] for line in lines] == ["97110", "97140"]
    assert lines[0]["limits"]["units"] == "3"


def test_extra_levels_and_a_missing_top_do_not_matter() -> None:
    """No HL 20 and 21: the payer is told by the envelope."""
    text = review(*GRANTED)
    body = text[text.index("HL*3*2*22") : text.index("SE*")]
    bare = interchange(transaction("BHT*0007*11*R*20260220*1504", *body.rstrip("~").split("~")))

    assert authorization(bare)["authorization_id"] == grant_id("authorization", "M0001", "AU1")


def test_claims_stand_under_any_level() -> None:
    """Right under the subscriber, or the patient; several each."""
    text = claim(*LINES[PROFESSIONAL], "CLM*C2*1***11:B:1", *LINES[PROFESSIONAL],
                 "HL*3*2*23*0", "PAT*19", "NM1*QC*1*DOE*TED", "CLM*C3*1***11:B:1",
                 *LINES[PROFESSIONAL])  # fmt: skip

    assert [each.document["claim_id"] for each in claims(text)] == ["C1", "C2", "C3"]


def test_a_loop_finds_its_parts() -> None:
    """The first segment of an implied loop is that of its first part."""
    empty, inner = (Loop(name, None) for name in ("2000E", "2000F"))
    empty.loops.append(inner)

    assert (empty.start, empty.first("UM"), empty.above("2000C")) == (None, None, None)


def told(text: str, *wanted: str) -> list[tuple[str, str, str]]:
    """What is said of segments that are unknown or misplaced: code, segment, loop."""
    return [
        (each.code, each.segment_id, each.loop)
        for one in sets(text)
        for each in one.problems
        if each.code in (wanted or ("segment-unknown", "segment-misplaced"))
    ]


@pytest.mark.parametrize(
    ("segment", "code", "name"),
    [
        ("Nd4*A", "segment-unknown", "ND4"), ("ZZZ*1", "segment-unknown", "ZZZ"),
        ("CLP*1", "segment-unknown", "CLP"), ("SVD*1", "segment-misplaced", "SVD"),
        ("HCR*A1*X", "segment-misplaced", "HCR"),
    ],
)  # fmt: skip
def test_a_segment_without_a_place_takes_nothing_along(segment: str, code: str, name: str) -> None:
    """The taxpayer number behind it stays the provider's; and it is told."""
    text = claim(*LINES[PROFESSIONAL])
    broken = text.replace("REF*EI*", f"{segment}~REF*EI*")

    assert told(broken) == [(code, name, "2010AA")]
    assert claims(broken)[0].document == claims(text)[0].document
    assert told(text) == []


def test_a_segment_without_a_place_stands_in_an_event_or_a_line() -> None:
    """Of a review too, at every depth; the provider behind keeps its specialty."""
    service = ("SV1*HC:97110", "NM1*SJ*1*ROE*RICHARD****XX*1234567893", "LX*1", "PRV*PE*PXC*1X")
    text = review(*GRANTED, "CLM*1", SERVICE, *service, "QQQ*1", "DTP*472*D8*20260301")
    line = authorization(text)["lines"][0]

    assert told(text) == [
        ("segment-misplaced", "CLM", "2000E"), ("segment-misplaced", "LX", "2010FA"),
        ("segment-unknown", "QQQ", "2010FA"),
    ]  # fmt: skip
    assert line["servicing_provider"]["taxonomy"] == ["1X"]
    assert line["requested_dates"]["from"] == "2026-03-01"


@pytest.mark.parametrize("count", [1, 2])
def test_an_implied_event_is_one_with_its_trace_category_and_decision(count: int) -> None:
    """TRN, UM and HCR right under the subscriber are of one event, as often as they come."""
    events = [each.replace("AU1", f"AU{number}") for number in range(count) for each in GRANTED]
    found = authorizations(review(*events).replace("HL*4*3*EV*1~", ""))

    assert [each.document["number"] for each in found] == [f"AU{each}" for each in range(count)]
    assert {each.document["certification_type"] for each in found} == {"I"}
    assert {tuple(each.document["trace_numbers"]) for each in found} == {("T1",)}


def test_a_trace_before_the_name_of_the_subscriber_makes_no_event() -> None:
    """The level follows HL: beside a refusal what is true is said, once."""
    member = ("HL*3*2*22*1", "TRN*2*T0*1", "NM1*IL*1*DOE*JANE****MI*M0001", "AAA*N**72*C")
    text = review("HCR*A1*AU1", "UM*HS*I", member=member)

    errors = [each.code for one in sets(text) for each in one.problems if each.severity == "error"]
    assert errors == ["no-dates", "event-unread"]
    assert told(text) == [("segment-misplaced", "TRN", "2000C")]
    assert len(authorizations(review("HCR*A1*AU1", GRANTED[3], member=member))) == 1
