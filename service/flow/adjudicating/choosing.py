"""Chooses, for every line and kind of a claim, what it is drawn from and in which order."""

from service.accounting.books.books import Home
from service.domain.adjudication import Adjudication
from service.flow.adjudicating.rooms import Rooms
from service.flow.adjudicating.selection import (
    Chosen,
    check_selections,
    choose,
    found_standing,
    wanted_ids,
)
from service.flow.adjudicating.ties import by_remaining, tied_ids
from service.flow.matching.match import Matched


async def choose_all(
    claim: Adjudication, matched: Matched, home: Home, rooms: Rooms
) -> list[Chosen]:
    """Choose for every search that must be satisfied.

    What was found comes with its terms. A version that was pushed since then is told by the
    accumulators, where the authorization was ever drawn on; else this claim came before it.
    """
    required = [each for each in matched.searches if each.is_required]
    check_selections(claim, required)
    ids = wanted_ids(claim, required)
    standing = found_standing(required)
    if ids:
        standing |= await rooms.standing.standing(home.payer, matched.finder.person, ids)
    chosen = [
        choose(
            claim,
            each,
            standing,
            event_codes=rooms.rules.event_codes,
            query_type=rooms.rules.query_type(each.plan),
            may_override=rooms.rules.references.accounting.status_override,
        )
        for each in required
    ]
    tied = sorted({name for each in chosen for name in tied_ids(each)})
    if not tied:
        return chosen
    committed = await rooms.books.committed(home, tied)
    return [by_remaining(each, committed) for each in chosen]
