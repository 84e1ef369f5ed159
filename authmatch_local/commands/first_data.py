"""Data for a first try: the examples of the checkout, made-up authorizations, and some claims."""

import shlex
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson

from authmatch_local.samples import SampleData
from service.access.subject import local_subject
from service.application import claims, requests
from service.application.parts import Application, application, local_caller
from service.application.reception import Stream, results_of, take
from service.cli.faults import ENGINE_FAULT, end
from service.cli.terminal import progress, say
from service.domain.adjudication import Adjudication
from service.domain.request import AuthorizationRequest
from service.settings import PACKAGE, Settings
from service.stores.authorizations.reading import Filter

SEED = 1
CLAIMS = 60
"""So many made-up claims are adjudicated, so that something waits for an examiner."""
_EXAMPLES = PACKAGE.parent / "docs" / "examples"
_EXAMPLE_CLAIM = _EXAMPLES / "claim-professional.json"
_EXAMPLE_REQUEST = _EXAMPLES / "request.json"
_EXAMPLE_AUTHORIZATION = "UM-55012"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What there is to try: for whom, how much, and a claim that finds something."""

    payer: str
    count: int
    claim: str
    request: str | None = None


async def load_first_data(settings: Settings, size: int) -> Loaded:
    """Load data unless there is some, and give a claim that fits it."""
    payer = settings.payers[0]
    async with application(settings) as parts:
        count = await _count(parts, payer)
        if count == 0:
            await _load(parts, payer, size)
            await _adjudicate(parts, payer, size)
            count = await _count(parts, payer)
        claim = await _claim(parts, payer)
        request = await _request(parts, payer)
    return Loaded(payer=payer, count=count, claim=claim, request=request)


async def _request(parts: Application, payer: str) -> str | None:
    """Ask for the authorization that a charge needs; the service sends it. Gives its id."""
    if payer not in parts.settings.trading_partners or not _EXAMPLE_REQUEST.is_file():
        return None
    asked = AuthorizationRequest.model_validate_json(_EXAMPLE_REQUEST.read_bytes())
    caller = local_caller(parts, payer)
    await requests.put(caller, asked.request_id, asked)
    await requests.send(caller, asked.request_id)
    return asked.request_id


async def _count(parts: Application, payer: str) -> int:
    return (await parts.stores.reading.page(payer, Filter(), size=1, after=None)).total


async def _load(parts: Application, payer: str, size: int) -> None:
    examples = _EXAMPLES / "authorizations.ndjson"
    lines = examples.read_bytes().splitlines() if examples.is_file() else []
    with progress() as bars:
        if not lines and not size:
            return
        say(f"loading {len(lines)} examples and {size:,} made-up authorizations")
        bar = bars.add_task("loading", total=len(lines) + size)
        made = SampleData(SEED, size).authorizations() if size else ()
        stream = Stream(chunks=_lines(lines, made), origin="first data", form="lines")
        actor = local_subject(payer).acting_for(None)
        async for result in results_of(take(parts, payer, stream, actor=actor)):
            bars.advance(bar)
            if result["status"] in ("rejected", "failed"):
                end(f"the data could not be loaded: {result['reason']}", ENGINE_FAULT)


async def _adjudicate(parts: Application, payer: str, size: int) -> None:
    made = islice(SampleData(SEED, size).claims(), CLAIMS) if size else ()
    for claim, _ in made:
        await claims.adjudicate(local_caller(parts, payer), Adjudication.model_validate(claim))
    await parts.stores.projection.project(payer)


async def _lines(lines: Iterable[bytes], made: Iterable[object]) -> AsyncIterator[bytes]:
    for line in lines:
        yield line + b"\n"
    for each in made:
        yield orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE)


async def _claim(parts: Application, payer: str) -> str:
    """The argument of `curl -d`, right for the folder where it is pasted."""
    if _EXAMPLE_CLAIM.is_file() and await parts.stores.reading.get(payer, _EXAMPLE_AUTHORIZATION):
        here = Path.cwd()
        near = _EXAMPLE_CLAIM.is_relative_to(here)
        return shlex.quote(f"@{_EXAMPLE_CLAIM.relative_to(here) if near else _EXAMPLE_CLAIM}")
    return shlex.quote(orjson.dumps(_made_up_claim()).decode())


def _made_up_claim() -> object:
    """A small claim of the made-up data that is covered."""
    covered = (
        claim
        for claim, expected in SampleData(SEED, 1_000).claims()
        if len(expected) == 1 and expected[0].class_ == "exact" and expected[0].chosen
    )
    return next(covered)
