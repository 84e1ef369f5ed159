"""The golden set: who says which authorization is right for claim lines, and where people differ.

Labels are given for lines of a study: what could cover each is known, and what it is not shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from service.application import studies
from service.application.parts import Caller
from service.application.studies import Json
from service.domain.claim import Claim
from service.domain.engine_fault import EngineFault
from service.domain.misfits import Misfit, refuse
from service.domain.values import Frozen, Text
from service.rules.rule_set import RuleSet
from service.rules.texts import load_texts
from service.stores.connection.clock import now
from service.stores.connection.reading import Order, read_cursor, write_cursor
from service.stores.studies.golden import KeptGolden
from service.stores.studies.kept import Kept, KeptClaim, Wanted
from service.tuning.columns import Columns
from service.tuning.golden import (
    Label,
    Labelled,
    Line,
    coverage,
    lines_of,
    misfits_of,
    settled,
    shown_blind,
    to_label,
)
from service.tuning.judging import Judge
from service.tuning.measures import LabelKey, Labels
from service.tuning.study import Decided, StudyClaim, claim_record, read_line

LABELS_MAX = 10_000
"""So many labels are taken at once."""
ATTEMPTS_MAX = 5

_KEY: Order = [({"claim_id": "asc"}, str), ({"line": "asc"}, int), ({"kind": "asc"}, str)]
"""The order of labelled lines, as a cursor has it."""

StudyId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class LabelsSent(Frozen):
    """Labels for lines of a study; ``by`` names the person where somebody else sends them."""

    study: StudyId
    labels: tuple[Label, ...] = Field(min_length=1, max_length=LABELS_MAX)
    by: Text | None = None


class DecisionsAsked(Frozen):
    """Whose decisions to take over: examiners' on claims that were adjudicated on these days."""

    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="to")]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            refuse("DecisionsAsked", [(("to",), "the period ends before it starts")])
        return self


@dataclass(frozen=True, slots=True)
class _Given:
    """A label, and the claim that it is of as it is kept with it."""

    labelled: Labelled
    claim: Json


async def label(caller: Caller, sent: LabelsSent) -> Json:
    """Keep labels; tells how many are new, and what else is said of their lines, engine included.

    Raises NotActing, NoSuchStudy, NotDone, ValidationError for labels that do not fit the study.
    """
    actor = caller.subject.acting_for(sent.by)
    head = await studies.read(caller, sent.study)
    names = {each.claim_id for each in sent.labels}
    claims = await studies.claims_of(caller, head, await studies.names_of(caller, head), names)
    found = misfits_of(sent.labels, claims)
    refuse("LabelsSent", ((("labels", *path), reason) for path, reason in found))
    at = now()
    given = [
        _Given(
            Labelled(label=each, by=actor.by, on_behalf_of=actor.on_behalf_of, at=at),
            _claim_kept(claims[each.claim_id].claim, claims[each.claim_id].decided),
        )
        for each in sent.labels
    ]
    stored = await _keep(caller, given)
    wanted = {each.key for each in sent.labels}
    lines = [each for each in await _lines(caller, names) if each.key in wanted]
    return {
        "stored": stored,
        "known": len(given) - stored,
        "lines": [line_shown(each, claims) for each in lines],
    }


def _claim_kept(claim: Claim, decided: Iterable[Decided]) -> Json:
    return {"claim": claim_record(claim), "decided": [each.as_record() for each in decided]}


async def _keep(caller: Caller, given: Sequence[_Given]) -> int:
    """Keep each that says something new; made anew where somebody is quicker. Says how many.

    What is older than the newest label of its person on the line is known.
    """
    kept, waiting = 0, list(given)
    for _ in range(ATTEMPTS_MAX):
        standing = _standing(
            await _lines(caller, {each.labelled.label.claim_id for each in waiting})
        )
        waiting = [new for each in waiting if (new := _numbered(each, standing)) is not None]
        if not waiting:
            return kept
        claims = {each.labelled.label.claim_id: each.claim for each in waiting}
        await caller.stores.golden.add(
            caller.payer,
            [KeptGolden("claim", name, (name,), content) for name, content in claims.items()],
        )
        entries = [_entry(each.labelled) for each in waiting]
        done = await caller.stores.golden.add(caller.payer, entries)
        kept += sum(done)
        waiting = [each for each, is_done in zip(waiting, done, strict=True) if not is_done]
    if waiting:
        raise EngineFault("elasticsearch", "the same person labels the same lines meanwhile")
    return kept


def _standing(lines: Iterable[Line]) -> dict[tuple[LabelKey, str], Labelled]:
    return {(line.key, each.who): each for line in lines for each in line.labels}


def _numbered(given: _Given, standing: Mapping[tuple[LabelKey, str], Labelled]) -> _Given | None:
    """The label with the next number of its person on the line; None for one that says no more."""
    new = given.labelled
    old = standing.get((new.label.key, new.who))
    if old is None:
        return given
    if old.label == new.label or (new.source == "decision" and old.at >= new.at):
        return None
    return replace(given, labelled=replace(new, number=old.number + 1))


def _entry(each: Labelled) -> KeptGolden:
    key = (*each.label.key, each.who, each.number)
    return KeptGolden("label", each.label.claim_id, key, each.as_json())


def _read(kept: Json) -> Labelled:
    label = Label.model_validate({k: v for k, v in kept.items() if k in _OF_LABEL})
    return Labelled(label=label, **{k: v for k, v in kept.items() if k not in _OF_LABEL})


_OF_LABEL = {field.alias or name for name, field in Label.model_fields.items()}


async def _lines(caller: Caller, claims: Iterable[str] | None = None) -> list[Line]:
    return lines_of(map(_read, await caller.stores.golden.labels(caller.payer, claims)))


async def export(caller: Caller) -> list[Json]:
    """Every label that was ever given, those that others took the place of included, in order."""
    labels = map(_read, await caller.stores.golden.labels(caller.payer))
    ordered = sorted(labels, key=lambda each: (each.label.key, each.at, each.who, each.number))
    return [each.as_json() for each in ordered]


async def listing(
    caller: Caller, *, conflicts: bool, size: int | None = None, after: str | None = None
) -> Json:
    """Labelled lines with what stands of each, perhaps those alone of which people differ.

    All of them, or a page; the counts and the hash are of all. Raises BadCursor, EngineFault.
    """
    lines = await _lines(caller)
    behind = None if after is None else tuple(read_cursor(after, _KEY))
    shown = [
        each
        for each in lines
        if (each.is_conflict or not conflicts) and (behind is None or each.key > behind)
    ]
    page = shown[:size]
    return {
        "lines": [line_shown(each, {}) for each in page],
        "next": write_cursor(list(page[-1].key)) if len(page) < len(shown) else None,
        "total": len(lines),
        "conflicts": sum(each.is_conflict for each in lines),
        "by_two": sum(len(each.labels) > 1 for each in lines),
        "hash": settled(lines).hash,
    }


def line_shown(line: Line, claims: Mapping[str, StudyClaim]) -> Json:
    """A labelled line; with how it was decided, where its claim is given."""
    claim_id, number, kind = line.key
    shown: Json = {
        "claim_id": claim_id,
        "line": number,
        "kind": kind,
        "is_conflict": line.is_conflict,
        "labels": [each.as_json() for each in line.labels],
    }
    if claim_id in claims:
        shown["decided"] = [
            each.as_record()
            for each in claims[claim_id].decided
            if (each.line, each.kind) == (number, kind)
        ]
    return shown


async def next_to_label(
    caller: Caller, study: str, *, size: int, second: bool, by: str | None = None
) -> Json:
    """Lines of a study that the person has not labelled, without what the engine says of them.

    ``second``: those that one other has labelled. Raises NotActing, NoSuchStudy, NotDone.
    """
    actor = caller.subject.acting_for(by)
    head = await studies.read(caller, study)
    names = await studies.names_of(caller, head)
    every = [each for of_part in names for each in of_part]
    lines = await _lines(caller, {name for name, _ in every})
    waiting = to_label(every, lines, actor.on_behalf_of or actor.by, second=second)
    shown = waiting[:size]
    claims = await studies.claims_of(caller, head, names, {name for name, _ in shown})
    return {
        "lines": [shown_blind(claims[name], line) for name, line in shown],
        "total": len(waiting),
    }


async def take_decisions(caller: Caller, asked: DecisionsAsked) -> Json:
    """Take over what examiners selected, as their labels; what was taken over before is known."""
    wanted = Wanted(first=asked.first, last=asked.last)
    places = sorted(await studies.newest_kept(caller, wanted), key=lambda each: each.at)
    given = [
        each
        async for place, found in studies.read_kept(caller, places)
        for each in _decisions(place, found)
    ]
    stored = sum(
        [
            await _keep(caller, given[start : start + LABELS_MAX])
            for start in range(0, len(given), LABELS_MAX)
        ]
    )
    return {"stored": stored, "known": len(given) - stored}


def _decisions(place: Kept, kept: KeptClaim) -> Iterable[_Given]:
    """What an examiner selected on a claim: the first authorization of a line is the right one."""
    selections = kept.sent.get("selections") or []
    if not selections or not (place.by or place.on_behalf_of):
        return
    sent = studies.as_sent(kept)
    claim = _claim_kept(sent.claim, sent.decided)
    why = (kept.sent.get("override") or {}).get("reason") or place.why or None
    for each in selections:
        label = Label(
            claim_id=place.claim_id,
            line=each["line"],
            kind=each.get("type", "authorization"),
            authorization=each["authorizations"][0]["authorization_id"],
            why=why,
        )
        labelled = Labelled(
            label=label,
            by=place.by,
            on_behalf_of=place.on_behalf_of,
            at=place.at,
            source="decision",
        )
        yield _Given(labelled, claim)


async def labels(caller: Caller) -> Labels:
    """What is right by the golden set: lines of which people differ are left out."""
    return settled(await _lines(caller))


async def covered(caller: Caller, study: str, rules: RuleSet) -> Json:
    """How much of a study is labelled, by template and criterion; judges it in this process.

    Raises NoSuchStudy, NotDone, Misfit for an empty golden set.
    """
    head = await studies.read(caller, study)
    claims = [read_line(line) async for line in studies.lines_of(caller, head)]
    lines = await _lines(caller, {each.claim.claim_id for each in claims})
    if not lines:
        raise Misfit(
            "no line of this study is labelled: label some (golden next), or import labels",
            "study",
        )
    columns = Columns.of(claims)
    return coverage(columns, Judge(columns, load_texts(rules.texts).book).judge(), lines)
