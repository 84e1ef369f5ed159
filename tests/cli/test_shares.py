"""A large file that several processes take in, each of them whole lines."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.application.parts import Application
from service.cli.shares import Share, shares_of, work_in_shares
from tests.ground import Ground

LINES = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b".")), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, size=st.integers(1, 40), is_ended=st.booleans(), skipped=st.integers(0, 3))
def test_shares_are_whole_lines_and_all_of_the_file(
    tmp_path: Path, lines: list[bytes], size: int, is_ended: bool, skipped: int
) -> None:
    """Each knows the number of its first line, also where the file is not read from its start."""
    text = b"\n".join(lines) + (b"\n" if is_ended else b"")
    file = tmp_path / "some.ndjson"
    file.write_bytes(text)
    start = sum(len(line) + 1 for line in lines[:skipped])
    if skipped > len(lines) or start > len(text):
        return

    shares = list(shares_of(file, start=start, line=skipped + 1, size=size))

    assert b"".join(text[each.start : each.end] for each in shares) == text[start:]
    for each in shares:
        assert each.line == text[: each.start].count(b"\n") + 1
        assert each.start == 0 or text[: each.start].endswith(b"\n")


async def text_of(parts: Application, share: Share) -> tuple[str, bytes]:
    """Give what a worker reads of its share, and that it has stores."""
    prefix = parts.stores.indices.prefix
    return prefix, b"".join([piece async for piece in share.pieces()])


async def fault_of(parts: Application, share: Share) -> None:
    """Fail as a worker may."""
    raise ValueError(f"line {share.line}")


@pytest.mark.parametrize("workers", [1, 2])
def test_what_became_of_shares_comes_in_their_order(
    ground: Ground, tmp_path: Path, workers: int
) -> None:
    """However many are at work, and however large the shares are."""
    file = tmp_path / "some.ndjson"
    file.write_bytes(b"".join(b"%d\n" % each for each in range(500)))

    async def run() -> list[tuple[str, bytes]]:
        done = work_in_shares(text_of, shares_of(file, size=200), ground.settings, workers=workers)
        return [each async for each in done]

    done = asyncio.run(run())

    assert {prefix for prefix, _ in done} == {ground.settings.index_prefix}
    assert b"".join(text for _, text in done) == file.read_bytes()
    assert len(done) > 5


def test_what_fails_in_a_worker_is_said_here(ground: Ground, tmp_path: Path) -> None:
    """And no worker is left behind."""
    file = tmp_path / "some.ndjson"
    file.write_bytes(b"1\n")

    async def run() -> None:
        async for _ in work_in_shares(fault_of, shares_of(file), ground.settings, workers=1):
            pass

    with pytest.raises(ValueError, match="line 1"):
        asyncio.run(run())
