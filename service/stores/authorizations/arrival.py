"""A pushed version on its way in: what was pushed, then the place that it takes, then its document.

Values do not change on the way: each step makes the next one of what it read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import orjson

from service.domain.actor import Actor
from service.domain.authorization import Authorization
from service.domain.canonical import canonical_form
from service.domain.effective import LineValues, effective_lines
from service.domain.extension import is_extension
from service.domain.grant_overlap import claimed_numbers
from service.domain.reference import StoredReferences
from service.domain.submission import Pushed, PushResult, PushStatus
from service.domain.terms import Form
from service.stores.authorizations.document import (
    Document,
    Known,
    hash_of,
    lessens,
    make_document,
    with_untold,
)
from service.stores.authorizations.locator import Link, Place, parts_with


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A version as it was pushed; ``form`` is its canonical form, where that was made already.

    Its effective lines are those by ``references``.
    ``is_by_name``: it came under another name of the authorization, and may not say its numbers.
    One that ``adds`` is an extension of what stands.
    """

    pushed: Pushed
    references: StoredReferences
    hash: str
    form: Form | None = None
    void: bool = False
    is_by_name: bool = False
    adds: bool = False

    @cached_property
    def id(self) -> str:
        """The authorization id."""
        return self.pushed.authorization.authorization_id

    @cached_property
    def version(self) -> int:
        """The sender's version."""
        return self.pushed.authorization.version

    @cached_property
    def member(self) -> str:
        """The member whom the sender names: it is stored under that id."""
        return self.pushed.authorization.member.id

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The normalised numbers that it claims."""
        return claimed_numbers(self.pushed.authorization)

    @cached_property
    def lines(self) -> list[LineValues]:
        """Its effective lines, made once: nobody may change them."""
        return effective_lines(self.pushed.authorization, self.references)

    def result(self, status: PushStatus, current: int, reason: str | None = None) -> PushResult:
        """Say what became of it; ``current`` is the version that stands."""
        return PushResult(
            authorization_id=self.id,
            version=self.version,
            status=status,
            current_version=current,
            reason=reason,
        )


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A version, and its place as it was read ``before`` it was written.

    ``successor`` stands for it. ``old`` are the documents that stood of it, by member. Of its
    ``untold`` lines nobody can say what was drawn before. ``state`` is what it makes together with
    others, ``made_of`` these versions.
    """

    arrival: Arrival
    before: Place
    successor: Link | None = None
    old: Mapping[str, Document] = field(default_factory=dict)
    untold: tuple[int, ...] = ()
    state: Pushed | None = None
    made_of: tuple[int, ...] = ()

    @property
    def is_newer(self) -> bool:
        """Whether the place is to be written: an older version stands there, or none."""
        return self.before.seen is None or self.before.version < self.arrival.version

    @property
    def is_part(self) -> bool:
        """Whether it is older than what stands, and has its part in that all the same."""
        return self.arrival.version < self.before.version and (
            self.arrival.version in self.before.parts or self.place.parts != self.before.parts
        )

    @property
    def is_kept_first(self) -> bool:
        """Whether it must be in the history before the place names it."""
        return self.arrival.adds or self.is_part

    @property
    def takes_away(self) -> bool:
        """Whether anything was granted before that is not granted any more."""
        old = [each for each in self.old.values() if "lines" in each]
        return any(self.arrival.void or lessens(each, self.leaves) for each in old)

    @property
    def refusal(self) -> PushResult | None:
        """What it is told where it has no part in what stands."""
        stands = self.before.version
        if self.is_newer or self.is_part:
            return None
        if stands > self.arrival.version:
            return self.arrival.result("superseded", stands)
        if self.before.content_hash != self.arrival.hash:
            reason = f"version {stands} is already there with other content"
            return self.arrival.result("conflict", stands, reason)
        return None

    @cached_property
    def place(self) -> Place:
        """The place as this version leaves it."""
        base, parts = parts_with(
            self.before, self.arrival.version, adds=self.arrival.adds, is_void=self.arrival.void
        )
        if self.before.version > self.arrival.version:
            return replace(self.before, base=base, parts=parts)
        return replace(
            self.before,
            base=base,
            parts=parts,
            version=self.arrival.version,
            content_hash=self.arrival.hash,
            member_id=self.arrival.member,
            members=tuple(dict.fromkeys((*self.before.members, self.arrival.member))),
        )

    @property
    def writes(self) -> int:
        """How often the place was written when it was its own."""
        return self.before.writes + self.is_newer

    @property
    def former_members(self) -> list[str]:
        """Members under whom it was stored before, and is not any more."""
        return [each for each in self.before.members if each != self.arrival.member]

    def result(self, latest: int, *, is_written: bool) -> PushResult:
        """Say what became of it; ``latest`` is the version that has the place now."""
        version = self.arrival.version
        if latest > version:
            return self.arrival.result("superseded", latest)
        has_stood = any("source" in old and old["version"] == version for old in self.old.values())
        if not is_written or has_stood:
            return self.arrival.result("unchanged", latest)
        is_known = bool(self.old) or 0 < self.before.version < version
        return self.arrival.result("updated" if is_known else "created", latest)

    @property
    def leaves(self) -> Authorization:
        """The state that it makes."""
        return (self.state or self.arrival.pushed).authorization

    @property
    def lines(self) -> list[LineValues]:
        """The effective lines of that."""
        if self.state is None:
            return self.arrival.lines
        return effective_lines(self.leaves, self.arrival.references)

    def document(self, payer: str, inherited: Iterable[str], pushed_at: str) -> Document:
        """Make the document; a version that was stored before keeps the time when it was."""
        arrival, old = self.arrival, self.old.values()
        kept = "numbers_all" if arrival.is_by_name else "inherited_numbers"
        before = [number for each in old for number in each.get(kept, ())]
        times = (each.get("pushed_at") for each in old if each["version"] == arrival.version)
        document = make_document(
            payer,
            self.state or arrival.pushed,
            arrival.references,
            known=Known(arrival.form, arrival.lines) if arrival.form and not self.state else None,
            inherited=(*inherited, *before),
            superseded_by=self.successor.newer if self.successor else None,
            pushed_at=next(filter(None, times), pushed_at),
        )
        document |= {"content_hash": arrival.hash, "void": arrival.void}
        if self.made_of:
            document["made_of"] = list(self.made_of)
        return with_untold(document, self.untold)


def arrival_of(pushed: Pushed, references: StoredReferences) -> Arrival:
    """Begin the way of a pushed version."""
    authorization = pushed.authorization
    form, is_void = canonical_form(authorization), authorization.is_void
    return Arrival(
        pushed=pushed,
        references=references,
        hash=hash_of(form),
        form=form,
        void=is_void,
        adds=is_extension(authorization) and not is_void,
    )


def by_name(source: Any, authorization_id: str, by: Arrival, version: int | None = None) -> Arrival:
    """Begin the way of what came under another name of an authorization, perhaps as a version.

    ``by`` is what brought it up.
    """
    changed = {**orjson.loads(orjson.dumps(source)), "authorization_id": authorization_id}
    if version is not None:
        changed["version"] = version
    for name in ("aliases", "supersedes"):  # they lead to it already
        changed.pop(name, None)
    authorization = Authorization.model_validate(changed)
    pushed = Pushed(authorization=authorization, source=changed, actor=by.pushed.actor)
    return replace(arrival_of(pushed, by.references), is_by_name=True)


def withdrawal_of(source: Mapping[str, Any], version: int, actor: Actor) -> Pushed:
    """Write the last content of an authorization under the version that withdraws it."""
    changed = {**source, "version": version}
    authorization = Authorization.model_validate(changed)
    return Pushed(authorization=authorization, source=changed, actor=actor)
