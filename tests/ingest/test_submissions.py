"""Streams of any format read into submissions: what they are, what is taken, where it stood."""

import asyncio
import codecs
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.submission import Submission
from service.ingest.submissions import Form, Reading, read_submissions

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LINES = (EXAMPLES / "authorizations.ndjson").read_bytes()
REVIEW = (EXAMPLES / "authorization.278.x12").read_bytes()
FHIR = (EXAMPLES / "authorization.fhir.json").read_bytes()
CLAIM = (EXAMPLES / "claim.837").read_bytes()
BYTES_MAX = 200_000


def read(
    chunks: Iterable[bytes] | bytes, form: Form | None = None, **more: Any
) -> list[Submission]:
    """Read a stream."""
    parts = [chunks] if isinstance(chunks, bytes) else list(chunks)

    async def stream() -> AsyncIterator[bytes]:
        for each in parts:
            yield each

    async def run() -> list[Submission]:
        reading = Reading(bytes_max=BYTES_MAX, form=form, **more)
        sent = read_submissions(stream(), reading)
        return [each async for each in sent if isinstance(each, Submission)]

    return asyncio.run(run())


def ids(submissions: Iterable[Submission]) -> list[str | None]:
    """The ids of those that can be pushed."""
    return [each.authorization_id for each in submissions if each.pushed]


NDJSON_IDS = [json.loads(line)["authorization_id"] for line in LINES.splitlines()]
ARRAY = json.dumps([json.loads(line) for line in LINES.splitlines()], indent=1).encode()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (LINES, NDJSON_IDS),
        (b"\xef\xbb\xbf" + LINES, NDJSON_IDS),
        (ARRAY, NDJSON_IDS),
        (json.dumps(json.loads(LINES.splitlines()[0]), indent=2).encode(), NDJSON_IDS[:1]),
        (LINES.splitlines()[0], NDJSON_IDS[:1]),
        (REVIEW, ["authorization.RAD5521.87e2996ba99a8072"]),
        (b"\xef\xbb\xbf\r\n " + REVIEW, ["authorization.RAD5521.87e2996ba99a8072"]),
        (REVIEW.decode().encode("utf-16"), ["authorization.RAD5521.87e2996ba99a8072"]),
        (REVIEW.decode().encode("utf-16-be"), ["authorization.RAD5521.87e2996ba99a8072"]),
        (b"", []),
        (b" \n\n ", []),
    ],
    ids=[
        "lines", "lines with a mark", "an array", "an object on many lines", "one line", "X12",
        "X12 with a mark", "UTF-16", "UTF-16 without a mark", "nothing", "blanks",
    ],
)  # fmt: skip
def test_the_first_bytes_tell_what_a_stream_is(content: bytes, expected: list[str]) -> None:
    """However it comes in: nobody has to say it."""
    for chunks in (content, [content[:1], content[1:3], content[3:]]):
        found = read(chunks)

        assert ids(found) == expected
        assert [each.start for each in found] == sorted(each.start for each in found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 zip", "compressed is not read"),
        (b"\x1f\x8b gzip", "compressed is not read"),
        (b"<?xml version='1.0'?><!DOCTYPE a>", "XML is not read"),
        (b"hello\nworld\n", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 30_000, "not JSON"),
        (b'{"authorization_id": "X', "not JSON"),
        (b'{"x": "' + b"y" * BYTES_MAX + b'"}\n', "longer than"),
        (b'{"authorization_id": "A\\u0000B", "version": 1}', "/authorization_id"),
        (b'{"authorization_id": "\\ud800", "version": 1}', "not JSON"),
    ],
)
def test_what_is_no_authorization_says_why_and_is_kept(content: bytes, reason: str) -> None:
    """No bytes raise, and none hang; the beginning of a long one is kept."""
    found = read(content)

    assert found
    assert all(each.pushed is None and each.code for each in found)
    assert reason in str(found[0].reason)
    assert content.startswith(found[0].content[:20])
    assert found[0].content_bytes >= len(found[0].content) > 0


@given(content=st.binary(max_size=300), form=st.sampled_from([None, "lines", "values", "x12"]))
def test_any_bytes_give_submissions(content: bytes, form: Form | None) -> None:
    """Unless nothing stands between separators; none can be pushed, and each says why."""
    found = read(content, form)

    assert found or not content.removeprefix(codecs.BOM_UTF8).strip(b" \t\r\n\v\f,[]")
    assert all(each.pushed is None and each.code and each.reason for each in found)
    assert [each.start for each in found] == sorted(each.start for each in found)


def test_a_line_that_cannot_be_read_does_not_stop_the_rest() -> None:
    """The lines keep their numbers, and each knows where it begins."""
    lines = LINES.splitlines()
    text = b"\n".join([lines[0], b"", b"{", lines[1]])

    found = read(text)

    assert [(each.position["line"], each.pushed is not None) for each in found] == [
        (1, True),
        (3, False),
        (4, True),
    ]
    assert [text[: each.start].count(b"\n") for each in found] == [0, 2, 3]


@pytest.mark.parametrize("content", [LINES, ARRAY], ids=["lines", "an array"])
def test_a_load_goes_on_where_it_ended(content: bytes) -> None:
    """From where any submission begins, the rest of the file is read as before."""
    whole = read(content)
    for at, each in enumerate(whole):
        line = content[: each.start].count(b"\n") + 1
        form: Form = "lines" if content is LINES else "values"

        rest = read(content[each.start :], form, offset=each.start, line=line)

        assert ids(rest) == ids(whole[at:])
        assert [one.position for one in rest] == [one.position for one in whole[at:]]
