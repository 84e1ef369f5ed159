"""The life of a draft of rules: what may follow what, and who may do it.

A draft is the set that it was made of, and the texts that it changes. It is evaluated, reviewed,
approved by somebody who did not write it, and published. Whatever changes its texts takes its
evaluation and its approval away.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from service.domain.actor import Actor
from service.domain.values import Day, Frozen, LongText, Text
from service.rules.book import EVERYBODY
from service.rules.calendar import Calendar
from service.rules.changes import content_of
from service.rules.rule_set import hash_of

State = Literal["draft", "evaluated", "in review", "approved", "published", "dropped"]
Action = Literal[
    "begin",
    "edit",
    "rebase",
    "evaluate",
    "submit",
    "approve",
    "reject",
    "publish",
    "rollback",
    "migrate",
    "seed",
    "drop",
    "stage",
    "widen",
    "return",
    "shadow",
    "unshadow",
]
Changed = Mapping[str, str | None]
"""Texts of a draft by file name; None for a file that it takes out."""

_FROM: Mapping[Action, tuple[State, ...]] = {
    "edit": ("draft", "evaluated", "in review", "approved"),
    "evaluate": ("draft", "evaluated"),
    "submit": ("evaluated",),
    "approve": ("in review",),
    "reject": ("in review", "approved"),
    "publish": ("approved",),
    "drop": ("draft", "evaluated", "in review", "approved"),
}
_NEXT: Mapping[State, str] = {
    "draft": "evaluate it first",
    "evaluated": "submit it for review first",
    "in review": "somebody else has to approve it first, or reject it",
    "approved": "publish it, or edit it, which takes its approval away",
    "published": "begin another draft",
    "dropped": "begin another draft",
}


class Person(Frozen):
    """Who was authenticated, and for whom it was done where that is somebody else."""

    by: str
    on_behalf_of: str = ""

    def may_be(self, other: "Person") -> bool:
        """Whether two may be one."""
        return Actor(**self.model_dump()).may_be(Actor(**other.model_dump()))


class Step(Frozen):
    """Something that was done with rules, and why: a row of their history."""

    action: Action
    at: str
    who: Person
    reason: LongText
    draft: str | None = None
    number: int | None = None
    """The set that it made."""
    content: str | None = None
    """The hash of the draft's texts at the time."""


class Evaluation(Frozen):
    """What was evaluated: texts by their hash, on which set, and the report where it is kept.

    ``gates_hold`` says what the report was judged to be; None where there is none.
    """

    content: str
    base: int
    report: str | None = None
    report_hash: str | None = None
    gates_hold: bool | None = None


class Version(Frozen):
    """A set that is kept, and how it came to be: published, rolled back to, migrated, or seeded."""

    number: int
    hash: str
    payer: str
    made: Step
    title: str = ""
    over: int | None = None
    """The set whose place it took."""
    starts: Day | None = None
    """The first day of service that it was for; None: all days of the set before."""
    restores: int | None = None
    """The older set whose texts it has."""
    authors: tuple[Person, ...] = ()
    evaluation: "Evaluation | None" = None
    approved: Step | None = None
    despite_gates: str | None = None
    """Why it was published though no gates hold."""


class Stage(Frozen):
    """A set on its way into force: it judges a share of the claims in place of another.

    ``only`` is the one payer for whom it does, of a set for all that have no rules of their own;
    ``is_first``: it is of a payer that had none before; ``steps`` counts what was done with it.
    """

    number: int
    hash: str
    over: int
    over_hash: str
    share: Annotated[int, Field(ge=1, le=100)]
    """Percent of the claims, by their ids."""
    only: str | None = None
    began: str
    is_first: bool = False
    steps: int = 1


class Shadow(Frozen):
    """A draft that judges a share of the claims beside the set in force, and never in an answer.

    ``hash`` is of the texts that it would be as a set of ``base``, ``content`` of what it changes.
    """

    draft: str
    content: str
    hash: str
    base: int
    share: Annotated[int, Field(ge=1, le=100)]
    """Percent of the claims, by their ids."""
    began: str

    @property
    def name(self) -> str:
        """What its counts are kept under."""
        return shadow_name(self.draft, self.content)


def shadow_name(draft: str, content: str) -> str:
    """What the counts of a draft that is tried are kept under: one that changed is counted anew."""
    return f"{draft}|{content[:12]}"


class Noted(Frozen):
    """A row of the history that is to be written, under its name."""

    payer: str
    step: Step
    name: str


class Pointer(Frozen):
    """What is in force, of all payers: changed in one write, over the one that was read.

    ``published`` are the versions of the last change, ``noted`` its other rows of the history:
    whoever reads it may have to write them. ``stages`` and ``shadows`` are by whose they are.
    """

    calendars: dict[str, Calendar]
    last: int
    published: tuple[Version, ...]
    stages: dict[str, Stage] = Field(default_factory=dict)
    shadows: dict[str, Shadow] = Field(default_factory=dict)
    noted: tuple[Noted, ...] = ()

    def calendar(self, payer: str) -> Calendar:
        """The calendar of a payer: its own, else that of all that have none."""
        return self.calendars[self.owner(payer)]

    def owner(self, payer: str) -> str:
        """Whose sets a payer has: its own, else those of all that have none."""
        return payer if payer in self.calendars else EVERYBODY

    def stage(self, payer: str) -> Stage | None:
        """The stage in which claims of a payer may be judged: of whose sets it has."""
        stage = self.stages.get(self.owner(payer))
        is_of_it = stage is not None and (payer == EVERYBODY or stage.only in (None, payer))
        return stage if is_of_it else None

    def moved(self, changes: Mapping[str, Calendar], *made: Version) -> "Pointer":
        """The pointer with these calendars, by sets that were just made; their stages end."""
        calendars = {**self.calendars, **changes}
        stages = {payer: each for payer, each in self.stages.items() if payer not in changes}
        return self._next(calendars=calendars, published=made, stages=stages)

    def _next(self, **changes: Any) -> "Pointer":
        """The pointer after a change; a draft that became a set is tried no more."""
        made: tuple[Version, ...] = changes.get("published", ())
        became = {each.made.draft for each in made}
        shadows = {name: each for name, each in self.shadows.items() if each.draft not in became}
        empty = {"published": (), "noted": (), "shadows": shadows, "last": self.last + len(made)}
        return self.model_copy(update={**empty, **changes})

    def shadowed(self, payer: str, shadow: Shadow | None, step: Step) -> "Pointer":
        """The pointer with a draft that is tried live from now on, or with none any more."""
        shadows = {name: each for name, each in self.shadows.items() if name != payer}
        if shadow is not None:
            shadows[payer] = shadow
        noted = Noted(payer=payer, step=step, name=f"{step.action}|{step.draft}|{step.at}")
        return self._next(shadows=shadows, noted=(noted,))

    def staged(self, payer: str, stage: Stage, made: Version) -> "Pointer":
        """The pointer with a set that was just made, on its way in stages."""
        is_first = payer not in self.calendars
        stages = {**self.stages, payer: stage.model_copy(update={"is_first": is_first})}
        calendars = {**self.calendars, payer: self.calendar(payer)}
        return self._next(calendars=calendars, published=(made,), stages=stages)

    def stepped(self, payer: str, stage: Stage | None, step: Step) -> "Pointer":
        """The pointer after a step of the stage that there is: widened, in force, or taken back.

        ``stage`` is what it is then; None where it is over. A step to widen it puts the set in
        force.
        """
        before = self.stages[payer]
        stages = {name: each for name, each in self.stages.items() if name != payer}
        calendars = self.calendars
        if stage is not None:
            stages[payer] = stage.model_copy(update={"steps": before.steps + 1})
        elif step.action == "widen":
            made = self.calendar(payer).published(before.number, before.hash, before.over, None)
            calendars = {**calendars, payer: made}
        elif before.is_first:
            calendars = {name: each for name, each in calendars.items() if name != payer}
        name = f"stage|{before.number}|{before.steps}"
        noted = Noted(
            payer=payer, step=step.model_copy(update={"number": before.number}), name=name
        )
        return self._next(calendars=calendars, stages=stages, noted=(noted,))


class Draft(Frozen):
    """Changed texts on their way to be a set; ``payer`` is for whom it would be."""

    id: str
    payer: str
    title: Text
    base: Annotated[int, Field(ge=1)]
    changed: dict[str, str | None]
    state: State = "draft"
    authors: tuple[Person, ...]
    evaluation: Evaluation | None = None
    approved: Step | None = None
    number: int | None = None
    """The set that it became."""
    steps: int = 1
    last: Step

    @property
    def content(self) -> str:
        """The hash of what it changes: what was evaluated and approved is known by it."""
        return content_hash(self.changed)


class StepRefused(Exception):
    """A step that cannot be taken: ``path`` says of what, the text why, ``hint`` the way out."""

    def __init__(self, path: str, reason: str, hint: str) -> None:
        """Keep all three."""
        super().__init__(f"{reason}: {hint}")
        self.path = path
        self.reason = reason
        self.hint = hint


def content_hash(changed: Changed) -> str:
    """The hash of changed texts."""
    taken_out = sorted(name for name, text in changed.items() if text is None)
    kept = {name: text for name, text in changed.items() if text is not None}
    return hash_of({**kept, **{f"-{name}": "" for name in taken_out}})


def _taken(draft: Draft, step: Step, state: State, **changes: object) -> Draft:
    """The draft after a step; raises StepRefused where it may not follow."""
    if draft.state not in _FROM[step.action]:
        reason = f"the draft is {draft.state}, it cannot be taken to {step.action}"
        raise StepRefused("/state", reason, _NEXT[draft.state])
    last = step.model_copy(update={"draft": draft.id})
    return draft.model_copy(
        update={"state": state, "last": last, "steps": draft.steps + 1, **changes}
    )


def edited(draft: Draft, changed: Changed, base: int, step: Step) -> Draft:
    """The draft with these texts on this set; texts that differ take away what was said of them."""
    author = () if any(each == step.who for each in draft.authors) else (step.who,)
    is_same = content_hash(changed) == draft.content
    kept = draft.state if is_same else "draft"
    return _taken(
        draft,
        step.model_copy(update={"content": content_hash(changed)}),
        kept,
        changed=dict(changed),
        base=base,
        authors=draft.authors if is_same else (*draft.authors, *author),
        evaluation=draft.evaluation if is_same else None,
        approved=draft.approved if is_same else None,
    )


def evaluated(draft: Draft, evaluation: Evaluation, step: Step) -> Draft:
    """The draft with its evaluation; raises StepRefused for one of other texts."""
    if evaluation.content != draft.content:
        raise StepRefused("/content", "the draft was changed meanwhile", "evaluate it again")
    step = step.model_copy(update={"content": draft.content})
    return _taken(draft, step, "evaluated", evaluation=evaluation)


def submitted(draft: Draft, step: Step) -> Draft:
    """The draft in review, with what was evaluated."""
    return _taken(draft, step.model_copy(update={"content": draft.content}), "in review")


def approved(draft: Draft, step: Step, seen: str | None = None) -> Draft:
    """The draft approved; raises StepRefused for an author, and for texts that were not ``seen``.

    It must be another person than each who wrote any of it.
    """
    if draft.state == "in review" and any(step.who.may_be(each) for each in draft.authors):
        reason = "who wrote a draft does not approve it"
        raise StepRefused("/by", reason, "have it approved by another subject")
    if seen is not None and seen != draft.content:
        raise StepRefused("/content", "the draft is not the one that was seen", "read it again")
    step = step.model_copy(update={"content": draft.content, "draft": draft.id})
    return _taken(draft, step, "approved", approved=step)


def rejected(draft: Draft, step: Step) -> Draft:
    """The draft back with its authors; its evaluation stands."""
    return _taken(draft, step, "evaluated", approved=None)


def publishable(draft: Draft, who: Person, despite_gates: str | None = None) -> None:
    """Raise StepRefused unless what was evaluated and approved is what the draft says.

    Where no report holds its gates it must be somebody who neither wrote nor approved it, and who
    says why.
    """
    if draft.state not in _FROM["publish"] or draft.approved is None:
        reason = f"the draft is {draft.state}, it cannot be published"
        raise StepRefused("/state", reason, _NEXT[draft.state])
    if draft.approved.content != draft.content:
        raise StepRefused("/content", "the draft changed after its approval", "submit it again")
    if draft.evaluation is not None and draft.evaluation.gates_hold:
        return
    if despite_gates is None:
        raise StepRefused(
            "/despite_gates",
            "no report of the draft holds the gates",
            "evaluate it with one that does, or have a second approver publish it, who says why",
        )
    if any(who.may_be(each) for each in (*draft.authors, draft.approved.who)):
        reason = "who wrote or approved a draft does not publish it despite its gates"
        raise StepRefused("/by", reason, "have it published by another subject")


def dropped(draft: Draft, step: Step) -> Draft:
    """The draft given up."""
    return _taken(draft, step, "dropped")


def with_changed(texts: Mapping[str, str], changed: Changed) -> dict[str, str]:
    """The texts of a set with those of a draft in their place."""
    all_of_it = {**texts, **changed}
    return {name: text for name, text in sorted(all_of_it.items()) if text is not None}


def changed_between(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str | None]:
    """The texts of another set that differ, as a draft of the old one would have them."""
    return {name: new.get(name) for name in sorted({*old, *new}) if old.get(name) != new.get(name)}


def overlaps(base: Mapping[str, str], now: Mapping[str, str], changed: Changed) -> tuple[str, ...]:
    """Files of a draft that bear on what was published since its base: then it must be looked at.

    The same file, or a template and one that it extends; the same change twice is none.
    """
    others = changed_between(base, now)
    theirs = {name for name, text in others.items() if changed.get(name, "") != text}
    ours = {name for name, text in changed.items() if now.get(name) != text}
    parents = _parents(with_changed(now, changed))
    return tuple(
        sorted(
            name
            for name in ours
            if name in theirs
            or parents.get(name, frozenset()) & theirs
            or any(name in parents.get(each, frozenset()) for each in theirs)
        )
    )


def _parents(texts: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """By file of a template, the files that it extends, and that they do."""
    contents = {name: content_of(name, text) for name, text in texts.items() if "/" not in name}
    named = {name: each for name, each in contents.items() if isinstance(each, dict)}
    files = {str(each.get("id")): name for name, each in named.items()}
    extended = {name: files.get(str(each.get("extends"))) for name, each in named.items()}
    found = {}
    for name in named:
        chain: list[str] = []
        file = extended[name]
        while file is not None and file not in chain:
            chain.append(file)
            file = extended[file]
        found[name] = frozenset(chain)
    return found
