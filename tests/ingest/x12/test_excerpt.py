"""What is kept of a message is X12 again: read by itself it gives what the message gave."""

import random

import pytest

from service.ingest.x12.wire import excerpt as excerpts
from service.ingest.x12.wire.excerpt import Excerpt
from service.ingest.x12.wire.results import (
    AuthorizationRead,
    ClaimRead,
    Interchange,
    InterchangeOutcome,
    Item,
    TransactionOutcome,
    Unread,
)
from tests.ingest.x12.edi import (
    GRANTED,
    ISA,
    LINES,
    MESSAGES,
    PROFESSIONAL,
    SERVICE,
    authorizations,
    claim,
    items,
    review,
    sets,
)
from tests.ingest.x12.mutation import mutated

FILES = {path.name: path.read_bytes() for path in sorted(MESSAGES.glob("[cr]*.edi"))}
BODY = review(*GRANTED)[len(ISA) + 1 :]


def told(item: Item) -> object:
    """What an item says, but where it stands."""
    if isinstance(item, AuthorizationRead):
        return "authorization", item.document, item.authorization, item.payer_id
    if isinstance(item, ClaimRead):
        return "claim", item.document, item.claim, item.payer_id, item.responsibility
    if isinstance(item, Unread):
        return "unread", item.loop
    assert isinstance(item, TransactionOutcome)
    return "set", item.refusal, item.transaction.kind


def of_units(found: list[Item]) -> list[AuthorizationRead | ClaimRead | Unread]:
    """The events and claims among items."""
    return [each for each in found if isinstance(each, AuthorizationRead | ClaimRead | Unread)]


def check(data: bytes) -> int:
    """Read each excerpt of a file by itself; say how many there were."""
    found = items(data)
    units = of_units(found)
    for each in units:
        again = of_units(items(each.excerpt.text))
        if each.excerpt.is_whole:
            assert [told(one) for one in again] == [told(each)], data
        else:
            assert all(isinstance(one, Unread) for one in again), data
    refused = [each for each in found if isinstance(each, TransactionOutcome) and each.refusal]
    for one in refused:
        assert one.excerpt is not None
        if one.excerpt.is_whole:
            assert [told(each) for each in sets(one.excerpt.text)] == [told(one)], data
    return len(units) + len(refused)


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_excerpt_gives_what_the_message_gave(name: str) -> None:
    """The same document, id and version, or the same refusal; every message of the suite."""
    assert check(FILES[name]) > 0


def test_excerpts_of_mutated_messages_give_what_those_gave() -> None:
    """However broken they are."""
    chance = random.Random(20260302)
    data = list(FILES.values())

    assert sum(check(mutated(chance.choice(data), chance)) for _ in range(200)) > 150


@pytest.mark.parametrize(
    "head",
    [
        ISA + "~",
        "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*^*00501*905*0*P*:~",
        "ISA*00* *00* *ZZ*SENDER *ZZ*RECEIVER *260301*1200*^*00501*905*0*P*: ~ ",
        "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*^*00501*905*0*P*~",
        "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*U*00401*905*0*P*:~",
        "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*^*00501*905:~",
        "",
    ],
)
def test_an_excerpt_has_the_separators_of_its_interchange(head: str) -> None:
    """Whatever its ISA looks like, and without one."""
    assert check((head + BODY).encode()) == 1
    lines = (head + BODY).replace("*", "|").replace("~", "\n")
    assert check(lines.encode()) == (0 if "905:" in head else 1)


@pytest.mark.parametrize("name", ["utf-16", "latin-1", "utf-8-sig"])
def test_an_excerpt_of_another_encoding_is_read_as_utf8(name: str) -> None:
    """Names beyond ASCII stay what they are."""
    data = review(*GRANTED).replace("ROE*RICHARD", "NUÑEZ*JOSÉ").encode(name)

    (read,) = authorizations(data)
    assert "NUÑEZ*JOSÉ" in read.excerpt.text
    assert check(data) == 1


def test_an_excerpt_has_its_own_levels_and_no_sibling() -> None:
    """With the parties above it, and the counts of itself."""
    events = (*GRANTED, "HL*5*3*EV*0", "TRN*2*T2*9", "HCR*A1*AU2", "DTP*AAH*D8*20260301")
    first, second = authorizations(review(*events))

    assert "AU2" not in first.excerpt.text
    assert "AU1" not in second.excerpt.text
    assert second.excerpt.text.split("~")[2:] == [
        "ST*278*0001*005010X217", "BHT*0007*11*REF1*20260220*1504*18", "HL*1**20*1",
        "NM1*X3*2*PLAN*****PI*P100", "HL*2*1*21*1", "NM1*1P*1*ROE*RICHARD****XX*1999999984",
        "HL*3*2*22*1", "NM1*IL*1*DOE*JANE****MI*M0001", "DMG*D8*19800502*F", "HL*5*3*EV*0",
        "TRN*2*T2*9", "HCR*A1*AU2", "DTP*AAH*D8*20260301", "SE*14*0001", "GE*1*17",
        "IEA*1*000000905", "",
    ]  # fmt: skip


def test_an_event_with_the_number_of_another_keeps_its_id() -> None:
    """Its excerpt says how many of that number stood before it."""
    again = ("HL*5*3*EV*0", "TRN*2*T2*9", "HCR*A1*AU1", "DTP*AAH*D8*20260301")
    text = review(*GRANTED, *again, *again)
    third = authorizations(text)[2]

    assert third.document["authorization_id"].endswith("-3")
    assert check(text.encode()) == 3


@pytest.mark.parametrize(
    "text",
    [
        review(*GRANTED, "MSG*" + "x" * 200_000, SERVICE, "SV1*HC:97110"),
        review(*GRANTED)[: review(*GRANTED).index("SE*")],
        claim(*LINES[PROFESSIONAL])[: claim(*LINES[PROFESSIONAL]).index("SE*")],
    ],
    ids=["a segment was too long", "a review breaks off", "a claim breaks off"],
)
def test_what_lost_a_part_is_never_read_as_whole(text: str) -> None:
    """Its excerpt has no end: what was lost might have been its limit."""
    (unread,) = of_units(items(text))

    assert not unread.excerpt.is_whole
    assert "SE*" not in unread.excerpt.text
    assert check(text.encode()) == 1


def test_of_a_long_unit_the_beginning_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole segments of it, and no end."""
    monkeypatch.setattr(excerpts, "EXCERPT_CHARACTERS_MAX", 400)
    (read,) = authorizations(review(*GRANTED, *["MSG*long"] * 50))

    assert not read.excerpt.is_whole
    assert 300 < len(read.excerpt.text) <= 400
    assert read.excerpt.text.endswith("~")


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("ST*278", "ST*834", "set-not-supported"),
        ("*11*REF1", "*99*REF1", "purpose-unknown"),
        ("005010X217", "004010X094A1", "release-4010"),
        ("005010X217", "006020X217", "release-not-supported"),
    ],
)
def test_a_refused_set_is_kept_as_it_came(old: str, new: str, refusal: str) -> None:
    """All of it, with the rule that refused it."""
    text = review(*GRANTED).replace(old, new)
    (one,) = sets(text)

    assert (one.refusal, one.read) == (refusal, 0)
    assert one.excerpt is not None
    assert one.excerpt.text == text


def test_a_claim_of_4010_that_its_header_tells_is_kept_as_it_came() -> None:
    """Where neither ST03 nor GS08 names a guide, REF*87 does."""
    text = claim("REF*D9*1", *LINES[PROFESSIONAL], guide="").replace(
        "NM1*41", "REF*87*004010X098A1~NM1*41", 1
    )
    (one,) = sets(text)

    assert (one.refusal, one.read) == ("release-4010", 0)
    assert one.excerpt is not None
    assert one.excerpt.is_whole
    assert one.excerpt.text.split("~")[2:-4] == text.split("~")[2:-4]


def test_a_long_refused_set_is_kept_up_to_the_bound() -> None:
    """Neither more is held, nor is it taken for whole."""
    segments = [f"MSG*{'x' * 10_000}"] * 200
    (one,) = sets(review(*GRANTED, *segments, bht="BHT*0007*99*R*20260220*1504"))

    assert one.excerpt is not None
    assert not one.excerpt.is_whole
    assert 900_000 < len(one.excerpt.text) <= excerpts.EXCERPT_CHARACTERS_MAX


def test_a_part_that_is_read_in_part_has_no_refusal() -> None:
    """Sets that were read have no excerpt of their own."""
    (one,) = sets(review(*GRANTED))

    assert (one.refusal, one.excerpt) == (None, None)


def test_the_place_of_an_interchange_is_where_a_load_goes_on() -> None:
    """Behind what stood before it, in bytes."""
    text = "\n" + review(*GRANTED) + "\r\n" + review(*GRANTED)
    found = [each.interchange for each in items(text) if isinstance(each, InterchangeOutcome)]

    assert [each.byte_offset for each in found] == [1, text.rindex("ISA*")]
    assert len(authorizations(text[found[1].byte_offset :])) == 1
    assert Interchange().byte_offset == 0


def test_an_excerpt_knows_where_its_unit_begins() -> None:
    """The segment and the byte of its HL or CLM."""
    text = claim(*LINES[PROFESSIONAL])
    (read,) = of_units(items(text))
    start = read.excerpt.start

    assert start is not None
    assert text[start.offset :].startswith("CLM*")
    assert Excerpt(None, ()).text == ""
    assert not Excerpt(None, ()).is_whole
