"""Bytes are cut into segments, whatever their separators, wraps and encoding."""

import pytest

from service.ingest.x12.wire.problem import Problem
from service.ingest.x12.wire.reading import SegmentReader, segments
from service.ingest.x12.wire.segment import Segment
from tests.ingest.x12.edi import ISA, interchange, review

PLAIN = review("UM*HS*I*1*11:B", "HCR*A1*AU1", "DTP*AAH*D8*20260301")


def cut(data: bytes | str) -> list[tuple[str, ...]]:
    """The elements of every segment."""
    raw = data.encode() if isinstance(data, str) else data
    return [each.elements for each in segments([raw]) if isinstance(each, Segment)]


def faults(data: bytes | str) -> list[Problem]:
    """The problems of a stream."""
    raw = data.encode() if isinstance(data, str) else data
    return [each for each in segments([raw]) if isinstance(each, Problem)]


EXPECTED = cut(PLAIN)


def test_segments_have_their_elements_and_their_place() -> None:
    """Each segment knows its number in the file and its first byte."""
    read = [each for each in segments([PLAIN.encode()]) if isinstance(each, Segment)]

    assert [each.ordinal for each in read] == list(range(1, len(read) + 1))
    for each in read:
        assert PLAIN[each.offset :].startswith(each.id)


@pytest.mark.parametrize(
    ("element", "component", "repetition", "terminator"),
    [
        ("*", ":", "^", "~"),
        ("|", "+", ">", "'"),
        ("*", "+", "{", "\n"),
        ("\x1d", "\x1f", "\x1e", "\x1c"),
        ("*", ">", "U", "~"),
        ("\t", ":", "^", "~"),
        ("*", ":", "^", "\r\n"),
        ("*", ":", "^", "\r"),
    ],
)
def test_the_separators_are_those_of_the_isa(
    element: str, component: str, repetition: str, terminator: str
) -> None:
    """Whatever the ISA says cuts the rest: the elements come out the same."""
    written = PLAIN.translate(str.maketrans("*:^", element + component + repetition))
    read = cut(written.replace("~", terminator))
    back = [
        tuple(each.replace(component, ":").replace(repetition, "^") for each in one) for one in read
    ]
    expected = (
        EXPECTED
        if repetition != "U"
        else [tuple(each.replace("U", "^") for each in one) for one in EXPECTED]
    )

    assert back == expected


@pytest.mark.parametrize(
    "head",
    [
        "ISA*00* *00* *ZZ*SENDER *ZZ*RECEIVER *260301*1200*^*00501*000000905*0*P*:~",
        "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*^*00501*905*0*P*:~",
        "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*^*00501*905*0*P*:\n~",
        "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*^*00501*905*0*P*: ~ ",
    ],
)
def test_a_collapsed_isa_is_read_by_its_separators(head: str) -> None:
    """An ISA of 73 or 77 characters says its separators as well as one of 106."""
    body = PLAIN[len(ISA) + 1 :]

    assert cut(head + body)[1:] == EXPECTED[1:]


def test_an_isa_without_its_last_element_still_ends_before_gs() -> None:
    """Without a component separator there are no components, but there are segments."""
    head = "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*^*00501*905*0*P*~"
    read = list(segments([(head + PLAIN[len(ISA) + 1 :]).encode()]))

    assert isinstance(read[0], Segment)
    assert read[0].delimiters.component == ""
    assert [each.elements for each in read[1:] if isinstance(each, Segment)] == EXPECTED[1:]


def test_an_isa_with_too_few_elements_is_noted() -> None:
    """Its separators can be told from what follows."""
    head = "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260301*1200*^*00501*905:~"
    text = head + PLAIN[len(ISA) + 1 :]

    assert cut(text)[1:] == EXPECTED[1:]
    assert [each.code for each in faults(text)] == ["isa-short"]


@pytest.mark.parametrize(
    "written",
    [
        PLAIN.replace("~", "~\n"),
        PLAIN.replace("~", "~\r\n"),
        PLAIN.replace("~", "~\n    "),
        PLAIN.replace("~", "~\r\n\r\n\t"),
        PLAIN.replace("~", "\n"),
        PLAIN.replace("~", "\r\n"),
        "\n\n  " + PLAIN + "\r\n\x1a",
        "\n".join(PLAIN[start : start + 76] for start in range(0, len(PLAIN), 76)),
        "\r\n".join(PLAIN[start : start + 80] for start in range(0, len(PLAIN), 80)),
        PLAIN.rstrip("~"),
    ],
    ids=[
        "lf",
        "crlf",
        "indented",
        "blank lines",
        "newline ends",
        "crlf ends",
        "around",
        "wrapped at 76",
        "wrapped at 80",
        "no last terminator",
    ],
)
def test_line_breaks_and_indentation_do_not_matter(written: str) -> None:
    """Files are wrapped, indented and broken into lines in every way."""
    assert cut(written) == EXPECTED


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_the_encoding_is_found_out(name: str) -> None:
    """With a byte order mark or without."""
    assert cut(PLAIN.encode(name)) == EXPECTED


@pytest.mark.parametrize("name", ["utf-8", "latin-1", "utf-16"])
def test_names_beyond_ascii_are_read(name: str) -> None:
    """UTF-8 where it is, else Latin-1."""
    text = PLAIN.replace("JANE", "JOSÉ")

    assert any("JOSÉ" in each for each in cut(text.encode(name)))


def test_the_offset_counts_bytes_in_utf16_too() -> None:
    """A place can be found again in the file."""
    data = PLAIN.encode("utf-16")
    for each in segments([data]):
        assert isinstance(each, Segment)
        assert data[each.offset :].decode("utf-16-le").startswith(each.id)


def test_several_interchanges_have_each_their_own_separators() -> None:
    """A file may be made of several, put one behind the other with their marks and breaks."""
    other = PLAIN.replace("*", "|").replace("~", "'")
    read = cut(PLAIN.encode() + b"\n\xef\xbb\xbf" + other.encode())

    assert read == EXPECTED * 2


def test_an_interchange_without_its_end_does_not_swallow_the_next() -> None:
    """A new ISA begins a new interchange, even one with other separators."""
    first = PLAIN[: PLAIN.index("IEA")]
    read = cut(first + PLAIN.replace("*", "|").replace("~", "\n"))

    assert read == EXPECTED[:-1] + EXPECTED


def test_text_around_interchanges_is_passed_over() -> None:
    """Once for each stretch, with its place, and not a word of it."""
    (problem,) = faults("Content-Type: x12\n\n" + PLAIN)

    assert (problem.code, problem.byte_offset) == ("noise", 0)
    assert "Content" not in problem.message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"hello", "no-interchange"),
        (b"\xff\xfe", "empty"),
        (b"\x00" * 5000, "empty"),
        (b"ISA", "no-interchange"),
        (b"ISA*", "isa-unreadable"),
        (b"ISA" + b"*A" * 3000, "isa-unreadable"),
    ],
)
def test_what_is_not_x12_is_a_problem(data: bytes, code: str) -> None:
    """It never raises, and never gives a segment."""
    assert cut(data) == []
    assert code in [each.code for each in faults(data)]


def test_a_file_that_begins_with_st_is_read_with_the_usual_separators() -> None:
    """Examples in manuals have no ISA."""
    body = PLAIN[PLAIN.index("ST*") : PLAIN.index("GE*")]

    assert cut(body) == EXPECTED[2:-2]
    assert [each.code for each in faults(body)] == ["isa-missing"]


def test_a_segment_that_never_ends_is_a_problem_with_its_place() -> None:
    """It is not held, and the segments behind it are read."""
    long = "MSG*" + "x" * 300_000
    text = interchange(f"ST*278*1~{long}~SE*3*1~")
    reader = SegmentReader()
    read = [
        each
        for start in range(0, len(text), 1000)
        for each in reader.feed(text[start : start + 1000].encode())
    ]
    (problem,) = (each for each in read if isinstance(each, Problem))

    assert problem.code == "segment-too-long"
    assert text[problem.byte_offset :].startswith("MSG")
    assert [each.id for each in read if isinstance(each, Segment)][-3:] == ["SE", "GE", "IEA"]
    assert problem.segment_index == 4


def test_trailing_blanks_and_separators_are_no_values() -> None:
    """A TRN that ends in blanks has its number without them."""
    (trace,) = (
        each
        for each in segments([review("TRN*2*T1   *9012345678*   *").encode()])
        if isinstance(each, Segment) and each.id == "TRN"
    )

    assert (trace.get(2), trace.get(3), trace.get(4), trace.get(5), trace.get(9)) == (
        "T1",
        "9012345678",
        "",
        "",
        "",
    )


def test_components_and_repetitions_are_cut_when_asked() -> None:
    """By the separators of the interchange."""
    (hi,) = (
        each
        for each in segments([review("HI*BK:M5450*BF:A:D8^BF:B").encode()])
        if isinstance(each, Segment) and each.id == "HI"
    )

    assert hi.parts(1) == ["BK", "M5450"]
    assert (hi.part(2, 3), hi.part(2, 9)) == ("D8^BF", "")
    assert hi.repeats(2) == ["BF:A:D8", "BF:B"]
