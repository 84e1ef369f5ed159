"""Authorizations as the stores give them: a candidate of a search, or one as it stands now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.domain.authorization import Authorization
from service.domain.effective import LineValues
from service.domain.terms import HowCounted


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What the scorer needs of a stored authorization.

    ``number`` is normalised, ``shown_number`` as it was pushed. ``raw_matched`` names the raw
    levels that Elasticsearch found true, as ``criterion.level``; ``engine_score`` is ``_score`` of
    a scored search; ``relaxed`` is the step that found it. ``terms`` are those of the version that
    was found (see ``service.domain.terms``). ``of_mother``: it was found under the member id of a
    newborn's mother.
    """

    authorization_id: str
    version: int
    number: str | None
    shown_number: str | None
    certification_date: str | None
    starts_on: str | None
    lines: tuple[LineValues, ...]
    numbers: tuple[str, ...] = ()
    terms: Mapping[str, Any] | None = None
    raw_matched: frozenset[str] = frozenset()
    engine_score: float | None = None
    relaxed: str | None = None
    of_mother: bool = False
    sort: tuple[object, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search returned, and how many there are in all (counted to just past the limit)."""

    candidates: tuple[Candidate, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An authorization as it stands at this moment, read by id and not searched.

    One that is void, or superseded by another (not ``current``), takes no new claims. ``counted``
    is how its lines are, where that came with it.
    """

    authorization: Authorization
    void: bool
    current: bool
    counted: HowCounted | None = None

    @property
    def version(self) -> int:
        """The version in force."""
        return self.authorization.version

    @property
    def is_open(self) -> bool:
        """Whether claims may be drawn on it."""
        return self.current and not self.void
