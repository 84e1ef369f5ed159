"""Sends what waits to trading partners, asks them about it, reads answers, attaches by policy.

Whatever ends it in the middle, the same bytes are sent again under the same trace number, by which
the payer knows them; what was answered twice is known here.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter

from service.access.scopes import ALL
from service.access.subject import Subject
from service.application import charges
from service.application._answers import cadence_of
from service.application.charges import Attachment, CannotAttach
from service.application.parts import Application, Caller
from service.application.reception import Stream, once, results_of, take
from service.application.requests import message_of
from service.background import Background
from service.domain.actor import Actor
from service.domain.engine_fault import EngineFault
from service.domain.request_life import (
    UNDECIDED,
    Cadence,
    Request,
    delivered,
    refused_by_form,
    tried,
)
from service.flow.intake import Result
from service.ingest.x12.reply.requesting import acknowledged
from service.partners.transport import (
    NotReached,
    Reply,
    arrived,
    deliver,
    put_away,
)
from service.settings import TradingPartner
from service.stores.intake.requests import DUE_AT_ONCE, Kept

log = structlog.get_logger()

LOOK_S = 1.0
PARTNER = "partner"
"""How what a partner sends is named as the way it came in, and as who sent it."""
_AT_ONCE = 8
_BY_POLICY = "granted, and attached as the payer's policy is"
_NOT_STORED = "what was granted is not stored yet"
_PROBLEM_MAX = 1000
_LEASE_MORE_S = 30
_UNREAD = "the answer of the partner says nothing of this request"
_MALFORMED = "the partner cannot read the message: it must be corrected"

FAULTS = Counter("authmatch_request_faults_total", "Times that sending requests failed.")
STEPS = Counter(
    "authmatch_request_steps_total",
    "What was done with requests, and whether the partner answered.",
    ["step", "outcome"],
)


class Sending(Background):
    """Sends for all payers that have a trading partner."""

    def __init__(self, parts: Application) -> None:
        super().__init__("sending_failed", FAULTS, first_s=LOOK_S, most_s=8.0)
        self._parts = parts

    async def turn(self) -> None:
        """Do what is due, and wait before the next look unless there is more."""
        if not await look(self._parts):
            await asyncio.sleep(LOOK_S)


async def look(parts: Application, *payers: str) -> bool:
    """Do all that is due now of all payers, or of some; gives whether more may be; EngineFault."""
    has_more = False
    for payer, partner in parts.settings.trading_partners.items():
        if payers and payer not in payers:
            continue
        if partner.folder is not None:
            await _collect(parts, payer, partner)
        due = await parts.stores.requests.due(payer, datetime.now(UTC))
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(
            kept: Kept,
            payer: str = payer,
            partner: TradingPartner = partner,
            turns: asyncio.Semaphore = turns,
        ) -> None:
            async with turns:
                await _step(parts, payer, partner, kept)

        outcomes = await asyncio.gather(*map(one, due), return_exceptions=True)
        for each in outcomes:
            if isinstance(each, BaseException):
                raise each
        has_more = has_more or len(due) == DUE_AT_ONCE
    return has_more


async def _step(parts: Application, payer: str, partner: TradingPartner, kept: Kept) -> None:
    """Take a request's next step, unless another worker has taken it; it is leased meanwhile."""
    store, cadence = parts.stores.requests, cadence_of(parts, payer)
    lease = datetime.now(UTC) + timedelta(seconds=partner.timeout_s + _LEASE_MORE_S)
    leased = kept.request.put(due=lease.replace(microsecond=0))
    if not await store.write(payer, leased, kept.seen):
        return
    if leased.step == "attach":
        await _attach(parts, payer, cadence, leased)
        return
    problem: str | None = None
    try:
        reply = await _brought(parts, payer, partner, leased)
        problem = await _read(parts, payer, partner, leased, reply)
    except NotReached as error:
        problem = str(error)
    STEPS.labels(leased.step, "answered" if problem is None else "again").inc()

    def after(request: Request) -> Request:
        if request.due != leased.due or request.status not in UNDECIDED:
            return request  # the answer said what comes next
        now = datetime.now(UTC)
        if problem is None:
            return delivered(request, cadence, now)
        if problem == _MALFORMED:
            return refused_by_form(request, problem)
        return tried(request, problem, cadence, now)

    await store.change(payer, leased.trace, after)


async def _attach(parts: Application, payer: str, cadence: Cadence, leased: Request) -> None:
    """Attach the charges of a request to what was granted, by the payer's policy.

    A charge that has something, was billed, or for which it is not valid stays as it is: it is
    offered. What was attached before somebody died is found attached.
    """
    name, store = leased.authorization_id or "", parts.stores.requests
    is_stored = await parts.stores.reading.get(payer, name) is not None  # or it is in the outbox
    refused = await _attached(parts, payer, name, leased) if is_stored else []
    problem = f"not attached: {'; '.join(refused)}"[:_PROBLEM_MAX] if refused else None

    def after(request: Request) -> Request:
        if request.due != leased.due:
            return request
        if not is_stored:
            return tried(request, _NOT_STORED, cadence, datetime.now(UTC))
        return request.put(step=None, due=None, problem=problem)

    await store.change(payer, leased.trace, after)
    STEPS.labels("attach", "again" if problem or not is_stored else "answered").inc()


async def _attached(parts: Application, payer: str, name: str, leased: Request) -> list[str]:
    """Attach what needs it; gives the charges that are not attached, and why."""
    subject = Subject(kind="policy", name="attach", payers=frozenset({payer}), scopes=ALL)
    caller, refused = Caller(parts, payer, subject), []
    for charge in leased.asked.charges:
        asked = Attachment(charge=charge, authorization_id=name, reason=_BY_POLICY)
        try:
            if (await charges.check(caller, charge))["auth_required"]:
                await charges.attach(caller, asked)
        except CannotAttach as error:
            refused.append(f"{charge.charge_id}: {error.candidate['why']}")
        except ValueError as error:
            refused.append(f"{charge.charge_id}: {error}")
    return refused


async def _brought(
    parts: Application, payer: str, partner: TradingPartner, request: Request
) -> Reply:
    if request.step == "inquire":
        message = await message_of(parts, payer, partner, request, is_inquiry=True)
        return await deliver(partner, "inquire", request.trace, message.encode())
    return await deliver(partner, "submit", request.trace, (request.message or "").encode())


async def _read(
    parts: Application, payer: str, partner: TradingPartner, leased: Request, reply: Reply
) -> str | None:
    """Take an answer in; gives why it does not settle the step, None where it does."""
    if not reply.content.strip():
        return _MALFORMED if reply.is_refused else None
    results = await _taken(parts, payer, partner, reply.content)
    if any(each["status"] == "failed" for each in results):
        raise NotReached("the answer could not be stored: it is asked for again")
    now = await parts.stores.requests.by_trace(payer, leased.trace)
    if now is not None and now.request != leased:
        return None
    if any(each.get("status") in ("unchanged", "superseded") for each in results):
        return None
    is_taken = acknowledged(reply.content) if partner.format == "x12" else None
    if is_taken is False or (is_taken is None and reply.is_refused):
        return _MALFORMED
    return None if is_taken else _UNREAD


async def _taken(
    parts: Application, payer: str, partner: TradingPartner, content: bytes
) -> Sequence[Result]:
    stream = Stream(chunks=once(content), origin=PARTNER, form=partner.format)
    taken = take(parts, payer, stream, actor=Actor(by=PARTNER))
    return [each async for each in results_of(taken)]


async def _collect(parts: Application, payer: str, partner: TradingPartner) -> None:
    """Take in the files that the partner left; one that could not be stored stays."""
    try:
        files = await asyncio.to_thread(arrived, partner)
    except NotReached as error:
        log.warning("folder_failed", reason=str(error))
        return
    for file in files:
        try:
            content = await asyncio.to_thread(file.read_bytes)
        except OSError:
            continue  # another worker was quicker, or it cannot be read now
        results = await _taken(parts, payer, partner, content)
        if any(each["status"] == "failed" for each in results):
            raise EngineFault("elasticsearch", "an answer could not be stored: it is read again")
        is_read = any(each["status"] != "rejected" for each in results) or acknowledged(content)
        await asyncio.to_thread(put_away, file, taken=bool(is_read))
