"""What `authmatch load` does with one file: by itself, or in shares by several processes."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from service.application.parts import Application
from service.application.reception import Stream, take
from service.cli.input_file import InputFile
from service.cli.shares import SHARE_BYTES, Share, shares_of, work_in_shares
from service.domain.submission import Notice
from service.flow.intake import TAKEN, Result, Taken
from service.ingest.x12.wire.results import InterchangeOutcome

BATCH = 1_000
"""So many authorizations go to the stores together: nobody else waits for this process."""

Advance = Callable[[int], object]
"""Is told how many more bytes were taken in."""


@dataclass(slots=True)
class Loaded:
    """What became of a part of a file: counts, where something failed, and some of the results.

    ``outcomes`` are those of the X12 interchanges that ended in it, to be acknowledged.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failed_at: int | None = None
    results: list[Result] = field(default_factory=list)
    outcomes: list[InterchangeOutcome] = field(default_factory=list)

    def take(self, each: Taken | Notice, *, every: bool = True) -> None:
        """Count a result, and keep the byte from which a load must go on.

        Without ``every`` results that are a plain success are not kept.
        """
        if isinstance(each, Notice):
            self.outcomes += [each.item] if isinstance(each.item, InterchangeOutcome) else []
            return
        result = each.result
        self.counts[result["status"]] += 1
        if result["status"] == "failed" and self.failed_at is None:
            self.failed_at = result["start"]
        if every or result["status"] not in TAKEN or result["status"] == "noted":
            self.results.append(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How a file is loaded: for whom, from which byte on, by how many processes.

    Without ``every`` only results that are no plain success are given one by one, where a file goes
    to several processes.
    """

    payer: str
    offset: int = 0
    line: int = 1
    workers: int = 1
    every: bool = False

    async def run(
        self, parts: Application, file: InputFile, advance: Advance
    ) -> AsyncIterator[Loaded]:
        """Load a file; gives what became of it part by part, in its order.

        A large file of lines goes to several processes: versions of one authorization that are far
        apart in it may then arrive in any order, which changes what is said of them, and not what
        stands in the end.
        """
        if file.path is not None and self._is_shared(file):
            advance(self.offset)
            for_each = partial(_share, load=self, name=file.name)
            shares = shares_of(file.path, start=self.offset, line=self.line)
            told = _advancing(shares, advance)
            done = work_in_shares(for_each, told, parts.settings, workers=self.workers)
            async for loaded in done:
                yield loaded
            return
        stream = Stream(
            chunks=file.chunks(advance, self.offset),
            origin=f"load {file.name}",
            form=file.form,
            offset=self.offset,
            line=self.line,
            batch=max(parts.settings.bulk_batch, BATCH),
        )
        async for each in take(parts, self.payer, stream):
            loaded = Loaded()
            loaded.take(each)
            yield loaded

    def _is_shared(self, file: InputFile) -> bool:
        is_large = file.size - self.offset > 2 * SHARE_BYTES
        return self.workers > 1 and is_large and file.form == "lines"


def _advancing(shares: Iterator[Share], advance: Advance) -> Iterator[Share]:
    """Tell of every share as it is handed out."""
    for each in shares:
        advance(each.end - each.start)
        yield each


async def _share(parts: Application, share: Share, *, load: Load, name: str) -> Loaded:
    """Take in one share, in a process of its own."""
    stream = Stream(
        chunks=share.pieces(),
        origin=f"load {name}",
        form="lines",
        offset=share.start,
        line=share.line,
        batch=max(parts.settings.bulk_batch, BATCH),
    )
    loaded = Loaded()
    async for each in take(parts, load.payer, stream):
        loaded.take(each, every=load.every)
    return loaded
