"""999 and TA1: what was wrong, where, and never what stood there."""

from datetime import UTC, datetime

import pytest

from service.ingest.x12.reply.acknowledgement import acknowledge
from service.ingest.x12.wire.writing import ControlNumbers
from tests.ingest.x12.edi import (
    DIAGNOSIS,
    GRANTED,
    LINES,
    PROFESSIONAL,
    claim,
    claim_segments,
    codes,
    interchange,
    outcome,
    review,
    transaction,
)

AT = datetime(2026, 3, 1, 13, 5, tzinfo=UTC)
NUMBERS = ControlNumbers(interchange=42, group=7)
GOOD = claim(DIAGNOSIS, *LINES[PROFESSIONAL])
BAD = claim(DIAGNOSIS, "LX*1", "SV1*HC:97110*60*UN*two", "DTP*472*D8*20260312")


def written(text: str, *, ta1: bool | None = None) -> list[str]:
    """The segments of the acknowledgement of a message."""
    answer = acknowledge(outcome(text), NUMBERS, AT, ta1=ta1)

    assert answer.endswith("~\n")
    return answer.replace("\n", "").split("~")[:-1]


def test_what_was_accepted_is_acknowledged_whole() -> None:
    """From the receiver to the sender, with the numbers and the time that were given."""
    assert written(GOOD) == [
        "ISA*00*          *00*          *ZZ*RECEIVER       *ZZ*SENDER         "
        "*260301*1305*^*00501*000000042*0*P*:",
        "GS*FA*RECEIVER*SENDER*20260301*1305*7*X*005010X231A1",
        "ST*999*0001*005010X231A1",
        "AK1*HC*17*005010X222A1",
        "AK2*837*0001*005010X222A1",
        "IK5*A",
        "AK9*A*1*1*1",
        "SE*6*0001",
        "GE*1*7",
        "IEA*1*000000042",
    ]


def test_what_was_left_out_is_rejected_with_its_place() -> None:
    """Segment, position in the set, loop, element and rule."""
    answer = written(BAD)

    assert answer[4:-3] == [
        "AK2*837*0001*005010X222A1",
        "IK3*SV1*17*2400*8",
        "IK4*4**6",
        "IK5*R*I5",
        "AK9*R*1*1*0",
    ]
    assert "two" not in "".join(answer)


def test_an_acknowledgement_counts_its_own_segments() -> None:
    """It is itself X12 without a fault."""
    for text in (GOOD, BAD):
        answer = acknowledge(outcome(text), NUMBERS, AT)

        assert codes(answer) == ["set-not-supported"]
        assert [each.code for each in outcome(answer).problems] == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("SE*19*0001", "SE*21*0001", ["IK5*E*4", "AK9*E*1*1*1"]),
        ("SE*19*0001", "SE*19*0009", ["IK5*E*3", "AK9*E*1*1*1"]),
        ("SE*19*0001~", "", ["IK5*E*2", "AK9*E*1*1*1"]),
        ("GE*1*17", "GE*2*17", ["IK5*A", "AK9*E*2*1*1*5"]),
        ("GE*1*17", "GE*1*18", ["IK5*A", "AK9*E*1*1*1*4"]),
        ("GE*1*17~", "", ["IK5*A", "AK9*E*1*1*1*3"]),
        ("D8*20260312", "D8*20260312*", ["IK5*A", "AK9*A*1*1*1"]),
    ],
)
def test_envelopes_that_disagree_are_accepted_with_a_note(
    old: str, new: str, expected: list[str]
) -> None:
    """As they were read."""
    assert old in GOOD

    assert [
        each for each in written(GOOD.replace(old, new)) if each[:3] in ("IK5", "AK9")
    ] == expected


def test_a_group_of_which_a_part_was_read() -> None:
    """P; each set has its own answer, and every group its own 999."""
    good = transaction(*claim_segments(DIAGNOSIS, *LINES[PROFESSIONAL]), set_id="837", number="2")
    text = interchange("ST*270*1~SE*2*1~", good, guide=PROFESSIONAL, group="HC")
    second = text[text.index("GS*") : text.index("IEA*")].replace("*17", "*18")
    answer = written(text.replace("IEA*1", f"{second}IEA*2"))

    assert [each for each in answer if each.startswith(("AK1", "AK2", "IK5", "AK9"))] == [
        "AK1*HC*17*005010X222A1", "AK2*270*1", "IK5*R*1", "AK2*837*2", "IK5*A", "AK9*P*2*2*1",
        "AK1*HC*18*005010X222A1", "AK2*270*1", "IK5*R*1", "AK2*837*2", "IK5*A", "AK9*P*2*2*1",
    ]  # fmt: skip
    assert [each for each in answer if each.startswith("ST")] == [
        "ST*999*0001*005010X231A1", "ST*999*0002*005010X231A1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "ta1"),
    [
        ("*000000905*0*P", "*000000905*1*P", "TA1*000000905*260301*1200*A*000"),
        ("IEA*1*000000905", "IEA*1*000000906", "TA1*000000905*260301*1200*E*001"),
        ("IEA*1*000000905", "IEA*2*000000905", "TA1*000000905*260301*1200*E*021"),
        ("IEA*1*000000905~", "", "TA1*000000905*260301*1200*E*023"),
    ],
)
def test_a_ta1_is_written_when_asked_for_or_needed(old: str, new: str, ta1: str) -> None:
    """ISA14, or a fault of the interchange itself."""
    text = GOOD.replace(old, new)

    assert written(text)[1] == ta1
    assert not any(each.startswith("TA1") for each in written(text, ta1=False))
    assert written(GOOD, ta1=True)[1] == "TA1*000000905*260301*1200*A*000"


def test_an_interchange_without_groups_has_a_ta1_alone() -> None:
    """There is nothing for a 999 to speak of."""
    text = GOOD[: GOOD.index("GS*")] + "IEA*0*000000905~"
    short = "ISA*00**00**ZZ*S*ZZ*R*260301*1200*^*00501*905:~TA1*1~IEA*0*905~"

    assert [each[:3] for each in written(text, ta1=True)] == ["ISA", "TA1", "IEA"]
    assert written(text)[-1] == "IEA*0*000000042"
    assert [each.code for each in outcome(short).problems] == ["isa-short"]
    assert written(short)[1] == "TA1*000000905*260301*1200*R*022"


def test_separators_within_names_do_not_break_the_answer() -> None:
    """A sender with our own separators in its name, and one without a name."""
    text = GOOD.replace("SENDER         *ZZ", "S~".replace("~", "^") + " " * 13 + "*ZZ")
    nameless = GOOD.replace("ZZ*SENDER         ", "  *               ")

    assert written(text)[0].split("*")[8] == "S" + " " * 14
    assert written(nameless)[0].split("*")[7] == "ZZ"


def test_a_request_and_a_refusal_are_accepted() -> None:
    """Nothing is wrong with them as messages."""
    refused = review("TRN*2*T1", "AAA*N**33*C")
    inquiry = review(*GRANTED, bht="BHT*0007*28*R1*20260301*1200")

    assert "IK5*A" in written(refused)
    assert "IK5*A" in written(inquiry)


def placed(text: str) -> list[str]:
    """The segments of an acknowledgement that say what is wrong with others."""
    return [each for each in written(text) if each[:3] in ("IK3", "IK4")]


ETIN = "NM1*SJ*1*ROE*RICHARD****46*8189991234"
NAMELESS = "NM1*SJ*1*ROE*RICHARD"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (review(*GRANTED, ETIN), []),
        (review(*GRANTED, NAMELESS), []),
        (review(*GRANTED, f"{NAMELESS}****XX"), ["IK3*NM1*15*2010EA*8", "IK4*9**1"]),
        (review(*GRANTED, "QQQ*1"), ["IK3*QQQ*15*2000E*1"]),
        (review(*GRANTED, "CLM*1"), ["IK3*CLM*15*2000E*2"]),
        (review(*GRANTED[:3]), ["IK3*HCR*13*2000E*8", "IK4*1**I9"]),
        (review(*GRANTED[1:2], "HCR*A1", GRANTED[3]), ["IK3*HCR*12*2000E*8", "IK4*2**I9"]),
        (review(*GRANTED, bht="HL*1**20*1"), ["IK3*BHT*2**3"]),
        (GOOD.replace("BHT*0019*00*B1*20260315*0900*CH~", ""), ["IK3*BHT*2**3"]),
        (review(*GRANTED[:2]), ["IK3*HCR*10*2000E*3"]),
        (review(*GRANTED).replace("HL*4*3*EV*1~", ""), ["IK3*HL*11*2000E*3"]),
        (claim(DIAGNOSIS), ["IK3*LX*14*2300*3"]),
        (claim(DIAGNOSIS, *LINES[PROFESSIONAL][:2]), ["IK3*DTP*16*2400*3"]),
    ],
    ids=[
        "an ETIN", "a name alone", "a qualifier alone", "unknown", "misplaced", "undated",
        "without identity", "a review without BHT", "a claim without BHT",
        "without decision", "without event", "without lines", "without dates",
    ],
)  # fmt: skip
def test_the_codes_of_a_999_are_true_and_each_finding_is_told_once(
    text: str, expected: list[str]
) -> None:
    """Nothing that the guide allows is a fault, and what was left out names its cause."""
    assert placed(text) == expected


def test_a_claim_without_its_bht_is_read_and_says_so() -> None:
    """It does not need to be known what for the set was made."""
    text = GOOD.replace("BHT*0019*00*B1*20260315*0900*CH~", "")

    assert "bht-missing" in codes(text)
    assert "IK5*E*4*I5" in written(text)
