"""Claims in as a stream, answers out in the same order, a bounded number of them at work."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from prometheus_client import Counter

from service.api.problem import Refused, refused_of
from service.flow.intake import TooLong
from service.settings import Settings

AnswerLine = Callable[[bytes], Awaitable[dict[str, Any]]]

BATCH_PROBLEMS = Counter(
    "authmatch_batch_problems_total", "Lines of a batch that could not be answered.", ["status"]
)


async def answer_lines(
    settings: Settings, lines: AsyncIterator[bytes | TooLong], answer: AnswerLine
) -> AsyncIterator[object]:
    """Answer every line that is not blank; what is wrong with one is said in its place."""
    waiting: deque[asyncio.Task[dict[str, Any]]] = deque()
    number = 0
    try:
        async for line in lines:
            number += 1
            if isinstance(line, bytes) and not line.strip():
                continue
            waiting.append(asyncio.create_task(_answer_line(settings, number, line, answer)))
            if len(waiting) >= settings.batch_claims_at_once:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()


async def _answer_line(
    settings: Settings, number: int, line: bytes | TooLong, answer: AnswerLine
) -> dict[str, Any]:
    if isinstance(line, TooLong):
        refused = Refused(413, "Line too long", f"at most {settings.line_bytes_max} bytes")
    else:
        try:
            return await answer(line)
        except Exception as error:  # noqa: BLE001 - one line must not end the others
            refused = refused_of(error)
    BATCH_PROBLEMS.labels(str(refused.status)).inc()
    return {
        "input_line": number,
        "problem": {
            "status": refused.status,
            "title": refused.title,
            "detail": refused.detail,
            "errors": refused.errors or [],
        },
    }
