"""Specialised processing: a procedure without a match of its own, billed near an authorized one.

The lines of a claim are looked at together, after each was resolved. What is found is for an
examiner: nothing is chosen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from service.domain.answers import MatchClass
from service.domain.code_groups import Groups
from service.domain.effective import LineValues
from service.domain.event import Event, Events
from service.domain.reference import References
from service.domain.specialised import AlternateRow, CompanionRow, SpecialisedRow
from service.matching.ranking import Ranked
from service.matching.resolution import Resolution, is_active
from service.matching.scorer import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """An active authorization, and the code of its line where that names a single one."""

    authorization_id: str
    procedure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """A claim line as it came out for one kind of authorization.

    ``chosen`` are those taken for it; ``near`` are all that were found for one that is open, near
    misses included.
    """

    kind: str
    procedure: str | None
    match_class: MatchClass
    chosen: tuple[Granted, ...] = ()
    near: tuple[Granted, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the line has no exact match, and nothing was taken for it."""
        return is_open(self.match_class, self.chosen)


def is_open(match_class: MatchClass, chosen: Sequence[object]) -> bool:
    """Whether a line of this class for which these were taken is looked at again."""
    return match_class != "exact" and not chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """A row that speaks of a line, and the authorization near which its procedure is billed."""

    row: SpecialisedRow
    authorization_id: str


def looked_up(kind: str, procedure: object, ranked: Ranked, resolution: Resolution) -> LookedUp:
    """What specialised processing needs to know of a resolved line."""
    line = LookedUp(
        kind=kind,
        procedure=procedure if isinstance(procedure, str) else None,
        match_class=ranked.match_class,
        chosen=tuple(map(_granted, resolution.chosen)),
    )
    if not line.is_open:
        return line
    # A denied or pended authorization is no reason to look at another code again.
    found = (*ranked.shown, *(each for each in ranked.near_misses if each.is_candidate))
    return replace(line, near=tuple(_granted(each) for each in found if is_active(each.action)))


def _granted(judged: Judged) -> Granted:
    return Granted(
        authorization_id=judged.candidate.authorization_id, procedure=authorized_code(judged.line)
    )


def authorized_code(line: LineValues) -> str | None:
    """The one procedure that an authorization line names; None for a range or a group."""
    first, last = line.get("procedure.from"), line.get("procedure.to")
    return first if first == last else None


def find_specialised(
    lines: Sequence[LookedUp], references: References
) -> list[tuple[FoundRow, ...]]:
    """For each line what the rows of the table find: of each row the first authorization.

    Lines stand together that were looked up for one kind of authorization. An open line took
    nothing, so whatever was taken was taken for another line.
    """
    found: list[list[FoundRow]] = [[] for _ in lines]
    for row in references.specialised.rows:
        groups = references.groups
        taken = _taken(row, lines, groups)
        for line, own in zip(lines, found, strict=True):
            if line.is_open and line.procedure and row.holds(line.procedure, groups):
                about = _first(row, line, taken.get(line.kind, ()), groups)
                if about is not None:
                    own.append(FoundRow(row=row, authorization_id=about.authorization_id))
    return [tuple(own) for own in found]


def _taken(
    row: SpecialisedRow, lines: Iterable[LookedUp], groups: Groups
) -> Mapping[str, Iterable[Granted]]:
    """By kind, each once, what was taken for lines near which the row lets others be billed.

    A companion must be matched exactly; what it draws on first stands for it.
    """
    taken: dict[str, dict[Granted, None]] = {}
    for line in lines:
        if isinstance(row, AlternateRow):
            fitting = line.chosen
        elif line.match_class == "exact" and row.is_companion(line.procedure, groups):
            fitting = line.chosen[:1]
        else:
            continue
        taken.setdefault(line.kind, {}).update(dict.fromkeys(fitting))
    return taken


def _first(
    row: SpecialisedRow, line: LookedUp, taken: Iterable[Granted], groups: Groups
) -> Granted | None:
    """The authorization near which the line is billed; its own candidates come first."""
    if isinstance(row, CompanionRow):
        return next(iter(taken), None)
    for each in (*line.near, *taken):
        authorized = each.procedure
        if authorized and authorized != line.procedure and row.holds(authorized, groups):
            return each
    return None


def specialised_events(found: Iterable[FoundRow], events: Events) -> tuple[Event, ...]:
    """The event of each row; one code is raised once for an authorization."""
    raised: dict[tuple[str, str], Event] = {}
    for each in found:
        row, about = each.row, each.authorization_id
        event = events.make(row.rule, code=row.event, authorization_id=about)
        raised.setdefault((event.code, about), event)
    return tuple(raised.values())


def with_specialised(events: Iterable[Event], specialised: Sequence[Event]) -> tuple[Event, ...]:
    """The events of the line, then the specialised ones, which replace "not found"."""
    kept = (each for each in events if not specialised or each.outcome != "not_found")
    return (*kept, *specialised)
