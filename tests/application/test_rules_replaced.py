"""The book of rules is replaced while claims run on real engines."""

import asyncio
from collections.abc import Sequence
from datetime import date
from itertools import cycle

import pytest

from service.application import claims
from service.application.parts import Caller, application, local_caller
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjudicationAnswer
from service.rules.book import RuleBook, StoredReferencesDiffer
from service.rules.texts import load_texts, read_folder
from tests.adjudication.changed_rules import CHANGES
from tests.api.bodies import claim_body
from tests.builders import QUERIES
from tests.ground import Ground
from tests.ground import ground as ground
from tests.ground import payer as payer

DAY = date(2026, 4, 1)
CLAIMS = 60
AT_ONCE = 6
OTHER = (
    *CHANGES["not found is denied"],
    ("reference/accounting.yaml", 'version: "2026.1"', 'version: "2026.9"'),
    ("professional.yaml", "version: 1\n", "version: 2\n"),
)
FIRST, SECOND = ("2026.1", "1", "suspend"), ("2026.9", "2", "deny")
"""Version of the policy and of the template, and what becomes of a line with nothing found."""


def changed(*changes: tuple[str, str, str]) -> RuleBook:
    """The shipped book with some texts replaced."""
    texts: dict[str, str] = read_folder(QUERIES)
    for file, old, new in changes:
        assert old in texts[file], file
        texts[file] = texts[file].replace(old, new)
    return load_texts(texts).book


async def adjudicated(
    caller: Caller, books: Sequence[RuleBook], claim: Adjudication
) -> tuple[bool, AdjudicationAnswer]:
    """Adjudicate a claim; tells whether the first book was current when it began."""
    was_first = caller.parts.rules.of(caller.payer, DAY) is books[0]
    return was_first, (await claims.adjudicate(caller, claim)).answer


def test_each_claim_is_judged_by_one_book(ground: Ground, payer: str) -> None:
    """By the one that was current when it began, in all that is said of it."""
    books = [changed(), changed(*OTHER)]

    async def scenario() -> list[tuple[bool, AdjudicationAnswer]]:
        async with application(ground.settings, rules=books[0]) as parts:
            caller, turns = local_caller(parts, payer), asyncio.Semaphore(AT_ONCE)

            async def run(number: int) -> tuple[bool, AdjudicationAnswer]:
                body = claim_body(claim_id=f"C-{number}", member={"id": f"M{number % 7}"})
                async with turns:
                    return await adjudicated(caller, books, Adjudication.model_validate(body))

            async def replace() -> None:
                for book in cycle(reversed(books)):
                    await asyncio.sleep(0.003)
                    parts.rules.replace(book)

            replacing = asyncio.create_task(replace())
            try:
                return await asyncio.gather(*map(run, range(CLAIMS)))
            finally:
                replacing.cancel()

    answers = asyncio.run(scenario())

    for was_first, answer in answers:
        (line,), rules = answer["lines"], answer["rules"]
        accounting, template, disposition = FIRST if was_first else SECOND
        assert rules["accounting"] == accounting
        assert rules["template professional"].partition(":")[0] == template
        assert line["disposition"] == disposition
    assert {was_first for was_first, _ in answers} == {True, False}


@pytest.mark.parametrize(
    "change",
    [
        ("reference/informational-modifiers.yaml", '      - "59"\n', ""),
        ("reference/attached.yaml", "fields:", "fields:\n  never_seen: keyword"),
    ],
    ids=["informational modifiers", "attached fields"],
)
def test_a_book_with_other_stored_references_is_refused(
    ground: Ground, payer: str, change: tuple[str, str, str]
) -> None:
    """Authorizations stand as the old ones wrote them: nothing changes until they are rebuilt."""
    first, other = changed(), changed(change)

    async def scenario() -> None:
        async with application(ground.settings, rules=first) as parts:
            with pytest.raises(StoredReferencesDiffer, match="authmatch index migrate"):
                parts.rules.replace(other)
            assert parts.rules.of(payer, DAY) is first

    asyncio.run(scenario())
