"""The claims of an 837 file, one by one, with what stands beside each and what is wrong."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from service.domain.claim import Claim
from service.ingest.x12.reader import Naming, read_async
from service.ingest.x12.submissions import OTHER_PAYER, is_for
from service.ingest.x12.wire.problem import Problem
from service.ingest.x12.wire.results import (
    AuthorizationRead,
    ClaimRead,
    InterchangeOutcome,
    Item,
    TransactionOutcome,
    Unread,
)

_NO_CLAIM = "this is no claim: authorizations are pushed, not matched"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSent:
    """A claim of a file, or without ``claim`` the reason why there is none.

    ``beside`` is what is said with its answer: where it stands, for whom it is, what was noticed.
    """

    beside: dict[str, Any]
    claim: Claim | None = None
    reason: str | None = None


async def claims_sent(
    chunks: AsyncIterable[bytes], naming: Naming, aliases: frozenset[str]
) -> AsyncIterator[ClaimSent]:
    """Read the claims of a file for a payer that goes by these names; no bytes raise."""
    async for item in read_async(chunks, naming):
        sent = _sent(item, aliases)
        if sent is not None:
            yield sent


def _sent(item: Item, aliases: frozenset[str]) -> ClaimSent | None:
    if isinstance(item, ClaimRead):
        beside = {
            "claim_id": item.claim.claim_id,
            **_place(item),
            "payer_id": item.payer_id,
            "responsibility": item.responsibility,
            "use": item.use,
            "is_predetermination": item.is_predetermination,
            "problems": _told(item.problems),
        }
        if not is_for(item.payer_id, aliases):
            return ClaimSent(beside=beside, reason=OTHER_PAYER)
        return ClaimSent(beside=beside, claim=item.claim)
    if isinstance(item, Unread):
        return _missed(item.problems, _place(item), "the claim cannot be read")
    if isinstance(item, AuthorizationRead):
        return _missed(item.problems, _place(item), _NO_CLAIM)
    if isinstance(item, TransactionOutcome) and not item.read and not item.unread:
        # What was said of its parts is not said again of the set.
        return _missed(item.problems, _place(item), "no claim can be read in it")
    if isinstance(item, InterchangeOutcome):
        number = item.interchange.control_number
        return _of_envelope(item.problems, {"interchange": number} if number else {})
    return _of_envelope((item,), {}) if isinstance(item, Problem) else None


def _of_envelope(problems: Iterable[Problem], place: dict[str, Any]) -> ClaimSent | None:
    errors = [each for each in problems if each.severity == "error"]
    return _missed(errors, place, "") if errors else None


def _missed(problems: Iterable[Problem], place: dict[str, Any], otherwise: str) -> ClaimSent:
    told = _told(problems)
    errors = [each for each in told if each["severity"] == "error"]
    first = str(errors[0]["message"]) if errors else otherwise
    return ClaimSent(beside={"claim_id": None, **place, "problems": told}, reason=first)


def _place(item: ClaimRead | Unread | AuthorizationRead | TransactionOutcome) -> dict[str, Any]:
    transaction = item.transaction
    return {
        "interchange": transaction.group.interchange.control_number,
        "transaction": transaction.control_number,
    }


def _told(problems: Iterable[Problem]) -> list[dict[str, object]]:
    return [each.as_json() for each in problems]
