"""Follows the rules that are in force, in every worker: the pointer is looked at twice a second."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from prometheus_client import Counter, Gauge
from typing_extensions import TypedDict

from service.background import Background, reason_of
from service.domain.engine_fault import EngineFault
from service.rules.book import EVERYBODY, RuleBook, Rules, Staged
from service.rules.calendar import Calendar, Term
from service.rules.life import Person, Pointer, Shadow, Stage, Step, Version
from service.rules.rule_set import RuleSet, name_of
from service.rules.texts import book_of
from service.stores.connection.clock import now
from service.stores.rules.kept import KeptRules, Seen, SeenPointer

LOOK_S = 0.5
INSTALLATION = Person(by="installation")

FAULTS = Counter("authmatch_rules_faults_total", "Looks at the rules in force that failed.")
LOOKED = Gauge(
    "authmatch_rules_looked_timestamp_seconds",
    "When a worker last knew that its rules are those in force; of all workers the longest ago.",
    multiprocess_mode="livemin",
)


class RulesAge(TypedDict):
    """How long ago a worker knew that its rules are those in force, and why no later."""

    age_s: float | None
    behind: str | None


class InForce(Background):
    """Puts what the pointer names in force here; what cannot be read or loaded changes nothing."""

    def __init__(self, kept: KeptRules, rules: Rules) -> None:
        """Nothing is known before ``look``."""
        super().__init__("rules_failed", FAULTS, first_s=LOOK_S, most_s=LOOK_S * 4)
        self._kept = kept
        self._rules = rules
        self._seen: Seen | None = None
        self.stages: Mapping[str, Stage] = {}
        """What is on its way in stages, by whose sets it is of."""
        self.shadows: Mapping[str, Shadow] = {}
        """The drafts that are tried beside, by whose they are."""
        self._books: dict[str, RuleBook] = {}
        self._looked: float | None = None
        self._behind: str | None = None
        self._looking = asyncio.Lock()

    async def turn(self) -> None:
        """Look, and look again."""
        await asyncio.sleep(LOOK_S)
        await self.look()

    async def look(self) -> RuleBook | None:
        """Put in force what the pointer names; gives one of the books, None where none is kept.

        Raises EngineFault, TemplatesRefused, StoredReferencesDiffer, and then nothing changes.
        """
        try:
            async with self._looking:
                found = await self._kept.pointer()
                if found is not None and found.seen != self._seen:
                    await self._take(found)
        except Exception as error:
            self._behind = reason_of(error)
            raise
        self._behind, self._looked = None, time.monotonic()
        LOOKED.set_to_current_time()
        return next(iter(self._books.values()), None)

    async def _take(self, found: SeenPointer) -> None:
        terms = {payer: each.terms for payer, each in found.pointer.calendars.items()}
        stages = found.pointer.stages
        named = {each.hash for of_payer in terms.values() for each in of_payer}
        named |= {each.hash for each in stages.values()}
        missing = named - self._books.keys()
        texts = await self._kept.texts(missing) if missing else {}
        books = dict(self._books)
        for hash_ in missing:
            books[hash_] = await asyncio.to_thread(_loaded, hash_, texts[hash_])
        self._rules.put(
            {payer: _terms(each, books) for payer, each in terms.items()},
            {payer: _staged(each, books) for payer, each in stages.items()},
        )
        self._books = {each: books[each] for each in named}
        self.stages, self.shadows = stages, found.pointer.shadows
        self._seen = found.seen

    async def seed(self, texts: Mapping[str, str]) -> None:
        """Keep the first set and put it in force, unless there is one; raises TemplatesRefused."""
        if await self.look() is None:
            first = RuleSet(texts, 1)
            await asyncio.to_thread(book_of, first)
            made = Step(action="seed", at=now(), who=INSTALLATION, reason="the first", number=1)
            calendar = Calendar(terms=(Term(number=1, hash=first.hash),))
            version = Version(number=1, hash=first.hash, payer=EVERYBODY, made=made)
            pointer = Pointer(calendars={EVERYBODY: calendar}, last=1, published=(version,))
            await self._kept.keep_texts(first.hash, first.texts)
            if await self._kept.point(pointer, None):
                await self._kept.complete(pointer)
            await self.look()

    def age(self) -> RulesAge:
        """How long ago it looked, in seconds, and why it could not since."""
        looked = self._looked
        age_s = None if looked is None else round(time.monotonic() - looked, 1)
        return {"age_s": age_s, "behind": self._behind}


def _loaded(hash_: str, texts: Mapping[str, str]) -> RuleBook:
    """The book of texts that were kept under a hash; raises EngineFault where they are others."""
    rules = RuleSet(texts)
    if rules.hash != hash_:
        raise EngineFault("elasticsearch", f"the texts of rules {hash_[:12]} are not what was kept")
    return book_of(rules)


def _terms(
    terms: tuple[Term, ...], books: Mapping[str, RuleBook]
) -> tuple[tuple[date, RuleBook], ...]:
    """The books of a calendar, each under the number that it has there."""
    return tuple(
        (
            each.starts or date.min,
            replace(books[each.hash], name=name_of(each.number, each.hash)),
        )
        for each in terms
    )


def _staged(stage: Stage, books: Mapping[str, RuleBook]) -> Staged:
    """The book of a stage, and the name of the one in whose place it judges."""
    return Staged(
        book=replace(books[stage.hash], name=name_of(stage.number, stage.hash)),
        over=name_of(stage.over, stage.over_hash),
        share=stage.share / 100,
        only=stage.only,
    )
