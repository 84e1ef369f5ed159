"""Puts together what each line is drawn from: an examiner's selections first, then the matches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.accounting.limits.choice import HEADER, Choice, line_of
from service.domain import codes
from service.domain.adjudication import Adjudication, SelectedAuthorization, Selection
from service.domain.authorization import Authorization
from service.domain.candidate import Standing
from service.domain.claim import ServiceLine
from service.domain.event import Event, EventCodes, Outcome, make_event
from service.domain.terms import read_terms
from service.flow.matching.match import Search
from service.matching.resolution import is_active, is_denied

NUMBER_OUTCOMES = frozenset({"invalid_number_claim", "invalid_number_line"})
"""Events that a selection does not settle: the number on the claim stays wrong."""


class BadSelection(ValueError):
    """A selection that cannot be meant: where, and why."""


class Changed(Exception):
    """An authorization is not any more what the search found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What one search is drawn from, the events that stand, and those a selection settled.

    ``matched`` is what would be drawn from without a selection.
    """

    search: Search
    choices: tuple[Choice, ...]
    events: tuple[Event, ...]
    resolved: tuple[Event, ...] = ()
    matched: tuple[Choice, ...] = ()


def wanted_ids(claim: Adjudication, searches: Iterable[Search]) -> list[str]:
    """Name the authorizations that must be read by id: selected ones, and any without terms."""
    ids = [each.authorization_id for one in claim.selections for each in one.authorizations]
    for search in searches:
        ids += [
            each.candidate.authorization_id
            for each in search.resolution.chosen
            if each.candidate.terms is None
        ]
    return list(dict.fromkeys(ids))


def found_standing(searches: Iterable[Search]) -> dict[str, Standing]:
    """Give what was chosen by matching as it was found, by the terms that came with it."""
    candidates = {
        each.candidate.authorization_id: each.candidate
        for search in searches
        for each in search.resolution.chosen
    }
    return {
        name: Standing(authorization=read_terms(each.terms), void=False, current=True)
        for name, each in candidates.items()
        if each.terms is not None
    }


def check_selections(claim: Adjudication, required: Iterable[Search]) -> None:
    """Refuse a selection for a line that needs nothing of that type; raises BadSelection."""
    needed = {(each.line.line, each.kind) for each in required}
    for each in claim.selections:
        if (each.line, each.type) not in needed:
            raise BadSelection(f"line {each.line} needs no {each.type}: nothing can be selected")


def choose(
    claim: Adjudication,
    search: Search,
    standing: Mapping[str, Standing],
    *,
    event_codes: EventCodes,
    query_type: str,
    may_override: bool,
) -> Chosen:
    """Choose for one required search.

    Raises BadSelection, and Changed where an authorization was pushed anew since it was matched.
    """
    automatic = [_automatic(search, place, standing) for place in range(_found(search))]
    selection = _selection(claim, search)
    if selection is None:
        return Chosen(search=search, choices=tuple(automatic), events=search.events)
    selected, refused = [], []
    for each in selection.authorizations:
        choice = _selected(each, search, standing)
        refusal = _refusal(choice.action, is_overridden=may_override and claim.override is not None)
        if refusal is None:
            selected.append(choice)
        else:
            refused += [
                make_event(
                    event_codes,
                    outcome,
                    query_type,
                    claim_type=claim.type,
                    authorization_id=each.authorization_id,
                )
                for outcome in refusal
            ]
    taken = {each.authorization.authorization_id for each in selected}
    rest = [each for each in automatic if each.authorization.authorization_id not in taken]
    if refused:
        said = {(each.code, each.authorization_id) for each in refused}
        found = [each for each in search.events if (each.code, each.authorization_id) not in said]
        return Chosen(search=search, choices=(), events=(*found, *refused))
    kept = [each for each in search.events if each.outcome in NUMBER_OUTCOMES]
    return Chosen(
        search=search,
        choices=(*selected, *rest),
        matched=tuple(automatic),
        events=tuple(kept),
        resolved=tuple(each for each in search.events if each.outcome not in NUMBER_OUTCOMES),
    )


def _found(search: Search) -> int:
    return len(search.resolution.chosen)


def _selection(claim: Adjudication, search: Search) -> Selection | None:
    for each in claim.selections:
        if (each.line, each.type) == (search.line.line, search.kind):
            return each
    return None


def _automatic(search: Search, place: int, standing: Mapping[str, Standing]) -> Choice:
    judged = search.resolution.chosen[place]
    line = judged.line["line"]
    now = standing.get(judged.candidate.authorization_id)
    if now is None or not now.is_open or now.version != judged.candidate.version:
        raise Changed(judged.candidate.authorization_id)
    return Choice(authorization=now.authorization, line=line, origin="automatic")


def _selected(
    one: SelectedAuthorization, search: Search, standing: Mapping[str, Standing]
) -> Choice:
    """Read a selection; one of another member is refused like one that does not exist."""
    where = f"the selection for line {search.line.line}: {one.authorization_id}"
    now = standing.get(one.authorization_id)
    if now is None or now.authorization.kind != search.kind:
        raise BadSelection(f"{where} is no {search.kind} of this member")
    if not now.is_open:
        raise BadSelection(f"{where} is void or superseded")
    line = _line_of(one, search, now.authorization)
    return Choice(authorization=now.authorization, line=line, origin="selected")


def _line_of(one: SelectedAuthorization, search: Search, authorization: Authorization) -> int:
    """Take the line that was named, else the one that was matched, else one that fits."""
    if one.line is not None:
        try:
            return line_of(authorization, one.line).line
        except ValueError as error:
            raise BadSelection(f"the selection for line {search.line.line}: {error}") from error
    for judged in (*search.ranked.shown, *search.ranked.near_misses):
        found = judged.line["line"]
        if judged.candidate.authorization_id == one.authorization_id and any(
            each.line == found for each in authorization.lines
        ):
            return int(found)
    return _fitting_line(search.line, authorization)


def _fitting_line(line: ServiceLine, authorization: Authorization) -> int:
    """Give the first line that names the procedure, else the first that names none, else any."""
    if not authorization.lines:
        return HEADER
    procedure = codes.bare(line.procedure) if line.procedure else None
    named = [
        each.line
        for each in authorization.lines
        if procedure and each.procedure and each.procedure.names(procedure)
    ]
    open_ = [each.line for each in authorization.lines if each.procedure is None]
    return (*named, *open_, authorization.lines[0].line)[0]


def _refusal(action: str | None, *, is_overridden: bool) -> tuple[Outcome, Outcome] | None:
    """Say why a decision does not let an examiner use it; a void one was refused before."""
    if is_active(action) or is_overridden:
        return None
    return "refused_selection", "denied" if is_denied(action) else "pending"
