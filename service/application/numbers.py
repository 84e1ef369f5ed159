"""Puts authorization numbers on claims: of what covers the lines, where the payer wants them."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import Any, NotRequired

from typing_extensions import TypedDict

from service.application import claims
from service.application.claims import ClaimSent
from service.application.parts import Caller
from service.domain.answers import CandidateAnswer, MatchAnswer, MatchedLine, ResultAnswer
from service.domain.authorization import Authorization
from service.domain.claim import Claim, ServiceLine
from service.domain.claim_numbers import (
    KINDS,
    NUMBER_KINDS,
    ForPayer,
    Found,
    Placed,
    PlacedKind,
    Placement,
    Responsibility,
    Why,
    place_numbers,
    with_numbers,
)
from service.ingest.x12.claim.numbers import Places, edits_of
from service.ingest.x12.wire.rewriting import Edit, rewritten, single_bytes

_HELD_BYTES = 4 * 1024 * 1024
"""Of a file so much is held in memory; beyond it is in a file without a name."""


class Populated(TypedDict):
    """Which numbers the lines of a claim got, where, and why; ``claim`` where it came as JSON."""

    claim_id: str
    changed: bool
    numbers: list[Placed]
    rules: dict[str, str]
    claim: NotRequired[dict[str, Any]]


async def populate(
    caller: Caller, claim: Claim, responsibility: Responsibility | None = None
) -> Populated:
    """Give a claim with the numbers of what covers its lines; raises EngineFault."""
    sent = ForPayer(claim_type=claim.type, responsibility=responsibility)
    answer, placement = await _placed(caller, claim, sent, None)
    populated = with_numbers(claim, placement)
    document = populated.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {**answer, "changed": populated != claim, "claim": document}


@dataclass
class PopulatedFile:
    """An 837 that is read and given back: its bytes, and what must change of them."""

    caller: Caller
    _edits: dict[int, Edit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open what holds the bytes."""
        self._file = SpooledTemporaryFile(_HELD_BYTES)  # noqa: SIM115 - closed by ``close``

    def sent_in(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[ClaimSent]:
        """The claims of the file, whose bytes are kept; each is to be given to ``populate``."""
        return claims.sent_in(self.caller, self._kept(chunks), with_places=True)

    async def _kept(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        async for chunk in single_bytes(chunks):
            self._file.write(chunk)
            yield chunk

    async def populate(self, claim: Claim, sent: ClaimSent) -> Populated:
        """Note what must change of a claim of the file; raises EngineFault."""
        beside = sent.beside
        about = ForPayer(
            claim_type=claim.type,
            payer_id=beside["payer_id"],
            responsibility=beside["responsibility"],
        )
        answer, placement = await _placed(self.caller, claim, about, sent.places)
        edits = edits_of(sent.places, placement) if sent.places else {}
        self._edits |= edits
        return {**answer, "changed": bool(edits)}

    def content(self) -> bytes:
        """The file with its numbers, once all claims were given to ``populate``."""
        return b"".join(rewritten(self._file, self._edits))

    def text(self) -> str:
        """The same as text: of UTF-8, else of a byte a character."""
        content = self.content()
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            return content.decode("latin-1")

    def close(self) -> None:
        """Drop it."""
        self._file.close()


async def _placed(
    caller: Caller, claim: Claim, sent: ForPayer, places: Places | None
) -> tuple[Populated, Placement]:
    matched = await claims.match(caller, claim, balances=True)
    if wrong := _wrong(matched):
        matched = await claims.match(caller, _without(claim, wrong), balances=True)
    wanted = [(line, kind, _chosen(line, kind)) for line in matched["lines"] for kind in KINDS]
    names = {each["authorization_id"] for *_, each in wanted if each is not None}
    known = await _numbers(caller, names)
    found = []
    for line, kind, chosen in wanted:
        number = chosen and known.get((chosen["authorization_id"], chosen["line"]))
        if number and places and not places.can_hold(number):
            number = None
        if why := _why(line, kind, chosen, number):
            found.append(
                Found(
                    line=line["line"],
                    kind=kind,
                    why=why,
                    number=number,
                    authorization_id=chosen and chosen["authorization_id"],
                )
            )
    table = caller.parts.rules.judging(caller.payer, claim).references.claim_numbers
    placement = place_numbers(claim, found, table, sent)
    answer: Populated = {
        "claim_id": claim.claim_id,
        "changed": False,
        "numbers": placement.told,
        "rules": {**matched["rules"], "claim numbers": table.version},
    }
    return answer, placement


async def _numbers(caller: Caller, names: Iterable[str]) -> dict[tuple[str, int], str | None]:
    """The number of each line of these authorizations: its own, else that of the header (0)."""
    reading, numbers = caller.stores.reading, {}
    for stored in await asyncio.gather(*(reading.get(caller.payer, each) for each in names)):
        if stored is None:  # withdrawn for good between both reads
            continue
        one = Authorization.model_validate(stored.source)
        for scope, line in ((one, 0), *((each, each.line) for each in one.lines)):
            numbers[one.authorization_id, line] = scope.number or one.number
    return numbers


def _results(line: MatchedLine, kind: PlacedKind) -> list[ResultAnswer]:
    return [
        each for each in line["results"] if each["required"] and NUMBER_KINDS[each["type"]] == kind
    ]


def _chosen(line: MatchedLine, kind: PlacedKind) -> CandidateAnswer | None:
    """What the line is drawn from first: what was named, else the first that has some left."""
    for result in _results(line, kind):
        named = {each["fits"] for each in result["submitted_numbers"]}
        first = {name: place for place, name in enumerate(result["chosen"])}
        chosen = [each for each in result["candidates"] if each["authorization_id"] in first]
        if chosen:
            return min(
                chosen,
                key=lambda each: (
                    each["authorization_id"] not in named,
                    _is_used_up(each),
                    first[each["authorization_id"]],
                ),
            )
    return None


def _is_used_up(candidate: CandidateAnswer) -> bool:
    left = [each["remaining"] for each in candidate.get("balances", ())]
    return any(each is not None and Decimal(each) <= 0 for each in left)


def _why(
    line: MatchedLine, kind: PlacedKind, chosen: CandidateAnswer | None, number: str | None
) -> Why | None:
    """Why a line gets its number, or none; one that needs nothing is told once."""
    if chosen is not None:
        return "matched" if number else "no-number"
    results = _results(line, kind)
    if not results:
        needs_other = any(each["required"] for each in line["results"])
        return None if needs_other or kind != KINDS[0] else "not-needed"
    return "not-certain" if any(each["candidates"] for each in results) else "not-found"


def _wrong(matched: MatchAnswer) -> frozenset[str]:
    """Numbers that fit nothing on any line: they would stand in the way of what does."""
    sent = [
        each
        for line in matched["lines"]
        for result in line["results"]
        for each in result["submitted_numbers"]
    ]
    right = {each["value"] for each in sent if each["fits"] or each["fits_another_line"]}
    return frozenset(each["value"] for each in sent) - right


def _without(claim: Claim, numbers: frozenset[str]) -> Claim:
    """The claim without some of its numbers."""

    def kept(scope: Claim | ServiceLine) -> dict[str, object]:
        all_ = scope.authorization_numbers
        return {"authorization_numbers": tuple(each for each in all_ if each.value not in numbers)}

    lines = tuple(line.model_copy(update=kept(line)) for line in claim.lines)
    return claim.model_copy(update={"lines": lines, **kept(claim)})
