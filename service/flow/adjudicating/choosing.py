"""Chooses what every line of a claim is drawn from, and in which order.

What an examiner selected comes first, then what matching took; of those that rank alike the one
that has the most left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from service.accounting.books.books import AuthorizationChanged
from service.accounting.limits.bounds import bounds_of, limits_are_given
from service.accounting.limits.choice import HEADER, Choice, granted_limits, line_of
from service.domain import codes
from service.domain.adjudication import Adjudication, SelectedAuthorization, Selection
from service.domain.authorization import Authorization
from service.domain.candidate import Standing
from service.domain.claim import AuthorizationKind, ServiceLine, kinds_meeting
from service.domain.event import Event, Outcome
from service.domain.misfits import Misfit, Path
from service.domain.terms import counting_in, read_terms
from service.flow.adjudicating.run import ClaimStores, Run
from service.flow.matching.match import LineSearch, Matched
from service.matching.resolution import is_active, is_denied
from service.matching.scorer import Judged

NUMBER_OUTCOMES = frozenset({"invalid_number_claim", "invalid_number_line"})
"""Events that a selection does not settle: the number on the claim stays wrong."""

_UNLIMITED = 2**63


class BadSelection(Misfit):
    """A selection that cannot be meant: where, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What one search is drawn from, the events that stand, and those a selection settled.

    ``refused`` says why selected authorizations cannot be used; ``matched`` is what would be drawn
    from without a selection.
    """

    search: LineSearch
    choices: tuple[Choice, ...]
    events: tuple[Event, ...]
    refused: tuple[tuple[Outcome, str], ...] = ()
    resolved: tuple[Event, ...] = ()
    matched: tuple[Choice, ...] = ()


async def choose_all(
    claim: Adjudication, matched: Matched, run: Run, stores: ClaimStores
) -> list[Chosen]:
    """Choose for every search that must be satisfied.

    What was found comes with its terms. A version that was pushed since then is told by the
    accumulators, where the authorization was ever drawn on; else this claim came before it.
    Raises BadSelection, and AuthorizationChanged where one was pushed anew since it was matched.
    """
    required = [search for search in matched.searches if search.is_required]
    check_selections(claim, required)
    ids = wanted_ids(claim, required)
    standing = found_standing(required)
    if ids:
        standing |= await stores.standing.standing(run.payer, matched.finder.everybody, ids)
    may_override = run.rules.references.accounting.status_override
    chosen = [
        choose(claim, search, standing, may_override=may_override, only_selected=run.attaching)
        for search in required
    ]
    tied = sorted({name for each in chosen for name in tied_ids(each)})
    if not tied:
        return chosen
    committed = await stores.books.committed(run.payer, tied)
    return [by_remaining(each, committed) for each in chosen]


def wanted_ids(claim: Adjudication, searches: Iterable[LineSearch]) -> list[str]:
    """The authorizations that must be read by id: selected ones, and any without terms."""
    selected = [each for selection in claim.selections for each in selection.authorizations]
    found = [judged.candidate for search in searches for judged in search.resolution.chosen]
    return list(
        dict.fromkeys(
            [
                *(each.authorization_id for each in selected),
                *(each.authorization_id for each in found if each.terms is None),
            ]
        )
    )


def found_standing(searches: Iterable[LineSearch]) -> dict[str, Standing]:
    """What was chosen by matching as it was found, by the terms that came with it."""
    found = (judged.candidate for search in searches for judged in search.resolution.chosen)
    terms = {each.authorization_id: each.terms for each in found if each.terms is not None}
    return {
        name: Standing(
            authorization=read_terms(each), void=False, current=True, counted=counting_in(each)
        )
        for name, each in terms.items()
    }


def check_selections(claim: Adjudication, required: Iterable[LineSearch]) -> None:
    """Refuse a selection for a line that needs nothing of that type; raises BadSelection."""
    heard = [selection_for(claim, search) for search in required]
    for place, each in enumerate(claim.selections):
        if not any(each is known for known in heard):
            reason = f"line {each.line} needs no {each.type}: nothing can be selected"
            raise BadSelection(reason, "selections", place, "line")


def selection_for(claim: Adjudication, search: LineSearch) -> Selection | None:
    """What an examiner selected for a search, of its own type or of one that meets it.

    A line never needs a notification beside an authorization, so none is heard twice.
    """
    of_line = [each for each in claim.selections if each.line == search.line.line]
    meeting = kinds_meeting(search.kind)
    fitting = sorted(
        (each for each in of_line if each.type in meeting),
        key=lambda each: meeting.index(each.type),
    )
    return fitting[0] if fitting else None


def choose(
    claim: Adjudication,
    search: LineSearch,
    standing: Mapping[str, Standing],
    *,
    may_override: bool,
    only_selected: bool = False,
) -> Chosen:
    """Choose for one required search.

    ``may_override``: an examiner who gives a reason may use what is denied or pended;
    ``only_selected``: nothing is drawn beside what was selected. Raises
    BadSelection, and AuthorizationChanged where one was pushed anew since it was matched.
    """
    found = [each for judged in search.resolution.chosen for each in _automatic(judged, standing)]
    automatic = tuple(sorted(found, key=lambda each: _use_order(each, search.kind)))
    selection = selection_for(claim, search)
    if selection is None:
        return Chosen(search=search, choices=automatic, events=search.events)
    place = next(at for at, each in enumerate(claim.selections) if each is selection)
    selected = [
        choice
        for at, each in enumerate(selection.authorizations)
        for choice in _selected(each, search, standing, ("selections", place, "authorizations", at))
    ]
    is_overridden = may_override and claim.override is not None
    refused = [
        (outcome, choice.authorization.authorization_id)
        for choice in selected
        if not is_overridden
        for outcome in _refusal(choice.action)
    ]
    if refused:
        return Chosen(search=search, choices=(), events=search.events, refused=tuple(refused))
    taken = {choice.key for choice in selected}
    rest = [each for each in automatic if each.key not in taken and not only_selected]
    return Chosen(
        search=search,
        choices=(*selected, *rest),
        matched=automatic,
        events=tuple(each for each in search.events if each.outcome in NUMBER_OUTCOMES),
        resolved=tuple(each for each in search.events if each.outcome not in NUMBER_OUTCOMES),
    )


def _use_order(choice: Choice, kind: AuthorizationKind) -> tuple[bool, bool]:
    """Where two kinds meet one need, what has a limit is drawn first; then what is of that kind.

    A notification without a limit never hides the days of an approval that stands beside it.
    """
    if kinds_meeting(kind) == (kind,):
        return False, False
    scopes = {HEADER, choice.line}
    limits = (granted_limits(choice.authorization, scope) for scope in scopes)
    return not any(map(limits_are_given, limits)), choice.authorization.kind != kind


def _automatic(judged: Judged, standing: Mapping[str, Standing]) -> list[Choice]:
    """Take all lines that fit of what matching took, one after the other."""
    now = standing.get(judged.candidate.authorization_id)
    if now is None or not now.is_open or now.version != judged.candidate.version:
        raise AuthorizationChanged(judged.candidate.authorization_id)
    return [
        Choice(authorization=now.authorization, line=line, origin="automatic", counted=now.counted)
        for line in (judged.line["line"], *judged.more)
    ]


def _selected(
    selected: SelectedAuthorization,
    search: LineSearch,
    standing: Mapping[str, Standing],
    path: Path,
) -> list[Choice]:
    """Read a selection; one of another member is refused like one that does not exist."""
    where = f"the selection for line {search.line.line}: {selected.authorization_id}"
    now = standing.get(selected.authorization_id)
    if now is None or now.authorization.kind not in kinds_meeting(search.kind):
        raise BadSelection(f"{where} is no {search.kind} of this member", *path, "authorization_id")
    if not now.is_open:
        raise BadSelection(f"{where} is void or superseded", *path, "authorization_id")
    return [
        Choice(authorization=now.authorization, line=line, origin="selected", counted=now.counted)
        for line in _lines_of(selected, search, now.authorization, path)
    ]


def _lines_of(
    selected: SelectedAuthorization, search: LineSearch, authorization: Authorization, path: Path
) -> tuple[int, ...]:
    """Take the line that was named, else all that were matched, else one that fits."""
    if selected.line is not None:
        try:
            return (line_of(authorization, selected.line).line,)
        except ValueError as error:
            reason = f"the selection for line {search.line.line}: {error}"
            raise BadSelection(reason, *path, "line") from error
    lines = {line.line for line in authorization.lines}
    for judged in (*search.ranked.shown, *search.ranked.near_misses):
        if judged.candidate.authorization_id == selected.authorization_id:
            found = [each for each in (judged.line["line"], *judged.more) if each in lines]
            if found:
                return tuple(found)
    return (_fitting_line(search.line, authorization),)


def _fitting_line(line: ServiceLine, authorization: Authorization) -> int:
    """The first line that names the procedure, else the first that names none, else any."""
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


def _refusal(action: str | None) -> tuple[Outcome, ...]:
    """Why a decision does not let an examiner use it; a void one was refused before."""
    if is_active(action):
        return ()
    return "refused_selection", "denied" if is_denied(action) else "pending"


def tied_ids(chosen: Chosen) -> list[str]:
    """The authorizations that rank alike: the same class, certification date and start."""
    return [name for group in _alike(chosen) if len(group) > 1 for name in group]


def by_remaining(chosen: Chosen, committed: Mapping[str, Mapping[str, int]]) -> Chosen:
    """Order those that rank alike by what remains; ``committed`` is what is used or reserved.

    The lines of one authorization stay in their order.
    """

    def left(choices: Sequence[Choice]) -> int:
        return max(_remaining(choice, committed) for choice in choices)

    ordered = [
        choice
        for group in _alike(chosen)
        for choices in sorted(group.values(), key=left, reverse=True)
        for choice in choices
    ]
    return replace(chosen, choices=tuple(ordered))


def _alike(chosen: Chosen) -> list[dict[str, list[Choice]]]:
    """The choices in their order by authorization, those that rank alike together.

    A selected one is alone.
    """
    judged = {each.candidate.authorization_id: each for each in chosen.search.resolution.chosen}

    def rank(numbered: tuple[int, Choice]) -> tuple[object, ...]:
        place, choice = numbered
        known = judged.get(choice.authorization.authorization_id)
        if choice.is_selected or known is None:
            return ("selected", place)
        score = known.score if known.match_class == "non-exact" else None
        candidate = known.candidate
        kind = choice.authorization.kind
        return known.match_class, score, candidate.certification_date, candidate.starts_on, kind

    groups = []
    for _, group in groupby(enumerate(chosen.choices), rank):
        by_authorization: dict[str, list[Choice]] = {}
        for _, choice in group:
            name = choice.authorization.authorization_id
            by_authorization.setdefault(name, []).append(choice)
        groups.append(by_authorization)
    return groups


def _remaining(choice: Choice, committed: Mapping[str, Mapping[str, int]]) -> int:
    """The units left of header and line, the lesser; a period's limits are not looked at."""
    used = committed.get(choice.authorization.authorization_id, {})
    left = [
        bounds.units - used.get(base, 0)
        for base, bounds in bounds_of(choice.authorization).items()
        if base in ("H", f"L{choice.line}") and bounds.units is not None
    ]
    return min(left, default=_UNLIMITED)
