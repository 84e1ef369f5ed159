"""Answers 278 inquiries: which authorizations of a member there are, as they stand now."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from service.access.act import note
from service.application.parts import Application
from service.application.reception import aliases_of, numbers_for
from service.domain import codes
from service.domain.authorization import Authorization, AuthorizationLine
from service.domain.member_ids import written_member_id
from service.ingest.x12.reply.answering import Answer, answer
from service.ingest.x12.submissions import is_for
from service.ingest.x12.wire.results import AskedService, InquiryRead
from service.stores.authorizations.reading import Filter

FOUND_MAX = 50
"""So many authorizations at the most are given in one answer, the newest first."""

_AT_ONCE = 8


async def answers_to(parts: Application, payer: str, inquiries: Sequence[InquiryRead]) -> list[str]:
    """Write an interchange for each that has inquiries, with an answer to each of them.

    Raises EngineFault: an inquiry is never answered "not found" because an engine failed.
    """
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(inquiry: InquiryRead) -> Answer:
        async with turns:
            return await _answer(parts, payer, inquiry)

    answers = await asyncio.gather(*map(one, inquiries))
    by_file = [list(each) for _, each in groupby(answers, key=_interchange)]
    at = datetime.now(UTC)
    numbers = await numbers_for(parts, payer, len(by_file))
    return [answer(each, own, at) for each, own in zip(by_file, numbers, strict=True)]


def _interchange(answer: Answer) -> tuple[str, str, int]:
    interchange = answer.inquiry.transaction.group.interchange
    return interchange.sender, interchange.control_number, interchange.segment_index


async def _answer(parts: Application, payer: str, inquiry: InquiryRead) -> Answer:
    """Look up what is asked for; whoever names no member of ours learns nothing."""
    member = written_member_id(inquiry.member_id or "")  # of dashes alone nothing is left
    if not member or not is_for(inquiry.payer_id, aliases_of(parts.settings, payer)):
        return Answer(inquiry=inquiry, is_member_known=False)
    note(members=(member,))
    firsts, lasts = [each.first for each in inquiry.days], [each.last for each in inquiry.days]
    found: dict[str, Authorization] = {}
    for number in inquiry.numbers or (None,):
        wanted = Filter(
            member=member,
            number=number,
            from_=min(filter(None, firsts), default=None) if all(firsts) else None,
            to=max(filter(None, lasts), default=None) if all(lasts) else None,
            standing=True,
        )
        page = await parts.stores.reading.page(payer, wanted, size=FOUND_MAX, after=None)
        for each in page.entries:
            authorization = Authorization.model_validate(each.source)
            if _is_asked_for(authorization, inquiry):
                found.setdefault(authorization.authorization_id, authorization)
    return Answer(inquiry=inquiry, found=list(found.values())[:FOUND_MAX])


def _is_asked_for(authorization: Authorization, inquiry: InquiryRead) -> bool:
    """Whether it covers one of the services, and names one of the providers that are asked for."""
    npis = set(inquiry.provider_npis)
    if npis and not npis & set(_npis(authorization)):
        return False
    lines = authorization.lines
    return (
        not inquiry.services
        or not lines
        or any(_covers(line, each) for line in lines for each in inquiry.services)
    )


def _npis(authorization: Authorization) -> Iterable[str]:
    for scope in (authorization, *authorization.lines):
        asking = (scope.requesting_provider,) if scope.requesting_provider else ()
        for each in (*scope.servicing_providers, *scope.facilities, *asking):
            if each.npi:
                yield each.npi


def _covers(line: AuthorizationLine, asked: AskedService) -> bool:
    """Whether a line names the service; one without a code covers any."""
    if asked.procedure and line.procedure and line.procedure.from_:
        code = codes.bare(asked.procedure)
        first = codes.bare(line.procedure.from_)
        last = codes.bare(line.procedure.to) if line.procedure.to else first
        return len(first) == len(code) and first <= code <= last
    if asked.revenue_code and line.revenue_code:
        return codes.revenue_code(asked.revenue_code) == codes.revenue_code(line.revenue_code)
    return True
