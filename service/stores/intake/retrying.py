"""Tries a dead letter again: it is resolved if all in it is taken, else it stays open."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from service.domain.actor import NOBODY, Actor
from service.domain.engine_fault import EngineFault
from service.domain.submission import Code
from service.stores.intake.dead_letters import DeadLetters, LetterConflict
from service.stores.intake.letter import Letter

Result = dict[str, Any]

Take = Callable[[Letter, bytes], Awaitable[list[Result]]]
"""Takes content in, as what the letter came as; gives a result for each of its parts."""

TAKEN = frozenset({"created", "updated", "unchanged", "superseded", "queued"})
_CODES: Mapping[str, Code] = {"conflict": "conflict", "rejected": "invalid"}
_ATTEMPTS_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """A letter as it is now, and what became of each part of it."""

    letter: Letter
    results: Sequence[Result]


async def retry_letter(
    letters: DeadLetters,
    payer: str,
    letter_id: str,
    take: Take,
    *,
    corrected: bytes | None = None,
    actor: Actor = NOBODY,
) -> Retried | None:
    """Try a letter again, as it came or ``corrected``; None when there is no such letter.

    Raises LetterConflict where it was seen to before, or by somebody else in the same moment.
    """
    letter = await letters.get(payer, letter_id)
    if letter is None:
        return None
    content = letter.content if corrected is None else corrected
    if letter.status == "open" and corrected is None and not letter.is_whole:
        raise LetterConflict("only its beginning was kept: its content must be given again")
    letter = await letters.begin_try(payer, letter)
    try:
        results = await take(letter, content or b"")
    except BaseException:
        with suppress(EngineFault):
            await _stay_open(letters, payer, letter)
        raise
    failed = [each for each in results if each["status"] not in TAKEN]
    if results and not failed:
        why = "tried again as it came" if corrected is None else "tried again corrected"
        return Retried(letter=await _resolve(letters, payer, letter, actor, why), results=results)
    if failed and failed[0]["status"] in _CODES:
        letter = _told(letter, failed[0])
    return Retried(letter=await _stay_open(letters, payer, letter), results=results)


async def _stay_open(letters: DeadLetters, payer: str, letter: Letter) -> Letter:
    """Leave it to others, unless it came again meanwhile: then it is open anyway."""
    try:
        return await letters.stay_open(payer, letter)
    except LetterConflict:
        return await letters.get(payer, letter.id) or letter


async def _resolve(
    letters: DeadLetters, payer: str, letter: Letter, actor: Actor, why: str
) -> Letter:
    """State that it was taken, also where the same came again meanwhile."""
    current: Letter | None = letter
    for _ in range(_ATTEMPTS_MAX):
        if current is None or current.status != "open":
            break
        try:
            return await letters.resolve(payer, current, actor=actor, why=why)
        except LetterConflict:
            current = await letters.get(payer, letter.id)
    return current or letter


def _told(letter: Letter, result: Result) -> Letter:
    """Give a letter with the reason for which it could not be taken this time."""
    return replace(
        letter,
        code=result.get("code") or _CODES[result["status"]],
        reason=result.get("reason") or letter.reason,
        on_file=result.get("on_file"),
        errors=tuple(result.get("errors") or ()),
    )
