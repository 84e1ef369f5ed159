"""Where what others send is received: how it is read, which ways it may go, how it is acknowledged.

The address, the command line and what is tried again all come through here.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from service.application.parts import Application
from service.domain.submission import Format
from service.domain.withdrawal import read_withdrawal
from service.flow.intake import Doors, Result, take_in
from service.ingest.submissions import Form, Reading, read_submissions
from service.ingest.x12.claim.naming import provider_claim_id, wire_claim_id
from service.ingest.x12.fields.people import family_member_id, wire_member_id
from service.ingest.x12.reader import Naming
from service.ingest.x12.reply.acknowledgement import ControlNumbers, acknowledge
from service.ingest.x12.submissions import OnItem
from service.ingest.x12.wire.results import InterchangeOutcome
from service.settings import Settings

_MEMBER_IDS = {"subscriber": wire_member_id, "family": family_member_id}
_CLAIM_IDS = {"claim": wire_claim_id, "provider": provider_claim_id}


def reading_of(
    settings: Settings,
    payer: str,
    *,
    form: Form | None = None,
    on_item: OnItem = lambda _: None,
    offset: int = 0,
    line: int = 1,
) -> Reading:
    """Say how what a payer's systems send is read."""
    return Reading(
        bytes_max=settings.line_bytes_max,
        form=form,
        naming=naming_of(settings),
        aliases=aliases_of(settings, payer),
        on_item=on_item,
        offset=offset,
        line=line,
    )


def naming_of(settings: Settings) -> Naming:
    """Say how ids are made of what stands in an X12 message."""
    return Naming(
        member_id_of=_MEMBER_IDS[settings.dependent_member_id],
        claim_id_of=_CLAIM_IDS[settings.x12_claim_id],
    )


def aliases_of(settings: Settings, payer: str) -> frozenset[str]:
    """Give the names by which a message may call a payer; none: any name."""
    return frozenset(each.strip().casefold() for each in settings.payer_aliases.get(payer, ()))


def doors_of(parts: Application, payer: str, origin: str) -> Doors:
    """Give the ways that submissions of a payer may go."""
    stores = parts.stores
    return Doors(
        payer=payer,
        store=stores.entrance,
        outbox=stores.outbox,
        letters=stores.letters,
        origin=origin,
        letter_bytes_max=parts.settings.dead_letter_bytes_max,
    )


async def take_again(
    parts: Application, payer: str, letter_format: Format, content: bytes, origin: str
) -> list[Result]:
    """Read what was a dead letter once more and take it in; gives a result for each of its parts.

    What cannot be taken makes no new dead letter: the one it came from stays open.
    """
    withdrawn = read_withdrawal(content) if letter_format == "json" else None
    if withdrawn is not None:
        return [asdict(await parts.stores.entrance.withdraw(payer, *withdrawn))]
    form: Form = "x12" if letter_format == "x12" else "values"
    reading = replace(reading_of(parts.settings, payer, form=form), bytes_max=len(content) + 1)
    doors = replace(doors_of(parts, payer, origin), letters=None)

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    taken = take_in(read_submissions(chunks(), reading), doors, batch=parts.settings.bulk_batch)
    return [each async for each in taken]


async def acknowledgements(
    parts: Application, payer: str, outcomes: Sequence[InterchangeOutcome]
) -> list[str]:
    """Write a 999, and a TA1 where it is wanted, for each interchange that was read."""
    at = datetime.now(UTC)
    numbers = await numbers_for(parts, payer, len(outcomes))
    return [acknowledge(each, own, at) for each, own in zip(outcomes, numbers, strict=True)]


async def numbers_for(parts: Application, payer: str, count: int) -> list[ControlNumbers]:
    """Give so many interchanges numbers of their own."""
    first = await parts.stores.control_numbers.take(payer, count) if count else 0
    numbers = range(first, first + count)
    return [ControlNumbers(interchange=each, group=each) for each in numbers]
