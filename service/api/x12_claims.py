"""Claims that come as X12 837: each is answered as if it had come alone, as a line of a stream."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

from service.api.batches import Answer, Job, answer_in_order, told
from service.api.problem import Refused, refused_of
from service.application.reception import aliases_of, naming_of
from service.domain.claim import Claim
from service.ingest.x12.submissions import ClaimSent, claims_sent
from service.settings import Settings

AnswerClaim = Callable[[Claim], Awaitable[dict[str, Any]]]


def answer_file(
    settings: Settings, payer: str, chunks: AsyncIterable[bytes], answer: AnswerClaim
) -> AsyncIterator[Answer]:
    """Answer the claims of a file in their order; one that cannot be read is a problem."""
    sent = claims_sent(chunks, naming_of(settings), aliases_of(settings, payer))
    return answer_in_order(_jobs(sent, answer), settings.batch_claims_at_once)


async def _jobs(sent: AsyncIterator[ClaimSent], answer: AnswerClaim) -> AsyncIterator[Job]:
    async for each in sent:
        yield _job(each, answer)


def _job(sent: ClaimSent, answer: AnswerClaim) -> Job:
    async def run() -> Answer:
        if sent.claim is None:
            refused = Refused(422, "Claim not answered", sent.reason or "it cannot be read")
        else:
            try:
                return {**sent.beside, "answer": await answer(sent.claim)}
            except Exception as error:  # noqa: BLE001 - one claim must not end the others
                refused = refused_of(error)
        return {**sent.beside, "problem": told(refused)}

    return run
