"""Reads X12 files: bytes in, authorizations, claims, refusals and outcomes out, as they come.

    for item in read(chunks):
        match item:
            case AuthorizationRead(): ...   # item.document can be pushed
            case ClaimRead(): ...           # item.document can be matched
            case InterchangeOutcome(): ...  # acknowledge(item, ...)

Memory is that of one event or claim and of the outcomes, whatever the size of the file.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

from service.ingest.x12.claim.claims import ClaimHandler
from service.ingest.x12.fields.policy import WIRE_POLICY, ReadingPolicy
from service.ingest.x12.review.review import AskedFor, ReviewHandler
from service.ingest.x12.wire.envelope import Envelopes, Handler
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.reading import SegmentReader
from service.ingest.x12.wire.results import Item, Transaction


class X12Reader:
    """Takes the bytes of a file as they come, and gives what they complete.

    What ``feed`` gives must be read to its end before the next call. No bytes raise.
    """

    def __init__(self, policy: ReadingPolicy = WIRE_POLICY) -> None:
        self._policy = policy
        self._asked_for: AskedFor = dict(policy.asked_for)
        self.segments = SegmentReader()
        self._envelopes = Envelopes(self._handler_of)

    def feed(self, chunk: bytes) -> Iterator[Item]:
        """Take a chunk of any size."""
        for found in self.segments.feed_pieces(chunk):
            yield from self._envelopes.take_all(found)

    def end(self) -> Iterator[Item]:
        """Say that nothing follows; give what is left."""
        yield from self._envelopes.take_all(self.segments.end())
        yield from self._envelopes.end()

    def _handler_of(self, transaction: Transaction, findings: Findings) -> Handler:
        if transaction.kind.startswith("278"):
            return ReviewHandler(transaction, findings, self._policy, self._asked_for)
        return ClaimHandler(transaction, findings, self._policy)


def read(chunks: Iterable[bytes], policy: ReadingPolicy = WIRE_POLICY) -> Iterator[Item]:
    """Read a file that comes in chunks of any size."""
    reader = X12Reader(policy)
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.end()


async def read_async(
    chunks: AsyncIterable[bytes], policy: ReadingPolicy = WIRE_POLICY
) -> AsyncIterator[Item]:
    """Read a stream that comes in chunks of any size."""
    reader = X12Reader(policy)
    async for chunk in chunks:
        for item in reader.feed(chunk):
            yield item
    for item in reader.end():
        yield item
