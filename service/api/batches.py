"""Claims in as a stream, answers out in the same order, a bounded number of them at work."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from prometheus_client import Counter

from service.access.act import Act, acting, current
from service.api.problem import Refused, in_line, refused_of
from service.application.refusals import EngineFault
from service.domain.claim import Claim
from service.ingest.cutting import Cut, LineCutter, cut
from service.ingest.x12.submissions import ClaimSent
from service.settings import Settings

Answer = Mapping[str, object]
AnswerLine = Callable[[bytes], Awaitable[Answer]]
Asked = AsyncIterator[tuple[Callable[[], Awaitable[Answer]], Answer]]
"""How each claim is answered, and what stands beside a problem in its place."""

BATCH_PROBLEMS = Counter(
    "authmatch_batch_problems_total", "Lines of a batch that could not be answered.", ["status"]
)


async def answer_in_order(asked: Asked, at_once: int) -> AsyncIterator[Answer]:
    """The answers in the order in which they were asked for, so many of them at work."""
    waiting: deque[asyncio.Task[Answer]] = deque()
    try:
        async for answer, beside in asked:
            waiting.append(asyncio.create_task(_answered(answer, beside)))
            if len(waiting) >= at_once:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()


def answer_lines(
    settings: Settings, chunks: AsyncIterable[bytes], answer: AnswerLine
) -> AsyncIterator[Answer]:
    """Answer every line that is not blank; what is wrong with one is said in its place."""

    async def one(line: Cut) -> Answer:
        if not line.is_whole:
            raise Refused(413, "Line too long", f"at most {settings.line_bytes_max} bytes")
        return await answer(line.content)

    asked = (
        (partial(one, line), {"input_line": line.line})
        async for line in cut(chunks, LineCutter(settings.line_bytes_max))
        if line.content.strip() or not line.is_whole
    )
    return answer_in_order(asked, settings.batch_claims_at_once)


AnswerClaim = Callable[[Claim, ClaimSent], Awaitable[Answer]]


def answer_claims(
    sent: AsyncIterator[ClaimSent], answer: AnswerClaim, at_once: int
) -> AsyncIterator[Answer]:
    """Answer the claims of an 837 as if each had come alone; one that cannot be read, too."""

    async def one(each: ClaimSent) -> Answer:
        if each.claim is None:
            raise Refused(422, "Claim not answered", each.reason or "it cannot be read")
        return {**each.beside, "answer": await answer(each.claim, each)}

    asked = ((partial(one, each), each.beside) async for each in sent)
    return answer_in_order(asked, at_once)


async def _answered(answer: Callable[[], Awaitable[Answer]], beside: Answer) -> Answer:
    """Answer one claim; where that fails it is said with what stands beside, and ends no other.

    Each is an act of its own; one that touched nothing, as a line that is no JSON, is none.
    """
    asked = current()
    with acting(asked.part() if asked else Act()) as act:
        try:
            answered = await answer()
            await act.tell()
        except Exception as error:  # noqa: BLE001 - one claim must not end the others
            refused = refused_of(error)
            with suppress(EngineFault):
                if act.has_notes or act.is_told:
                    await act.tell_answer(refused.status)
            BATCH_PROBLEMS.labels(str(refused.status)).inc()
            return {**beside, **in_line(refused)}
        return answered
