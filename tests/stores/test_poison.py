"""What cannot be stored becomes a dead letter, and never holds up the rest."""

from collections.abc import Sequence

import pytest

from service.application.parts import Stores
from service.domain.submission import Pushed, PushResult
from service.stores.connection import breaker
from service.stores.connection.faults import NOT_LET_IN, EngineUnavailable
from service.stores.intake.dead_letters import LetterFilter
from service.stores.intake.delivery import TRIES_MAX
from tests.ground import Ground, version_of
from tests.stores.outbox_bed import outcomes, refused_version, waiting


def test_other_content_of_a_version_becomes_a_dead_letter(ground: Ground, payer: str) -> None:
    """The one that came first stands; the other one is kept, also where the crash repeats it."""

    async def scenario(stores: Stores) -> None:
        pushed = [version_of(1), version_of(1, number="X"), version_of(2)]
        queued = await stores.outbox.put(payer, pushed)
        assert await stores.courier.deliver(payer) == 3
        told = await stores.outbox.status(payer, queued[1].ticket)
        page = await stores.letters.page(payer, LetterFilter(status="open"), size=10)

        assert [each.status for each in await stores.entrance.push(payer, pushed[:1])] == [
            "superseded"
        ]
        assert told is not None
        assert (told["status"], told["dead_letter"]) == ("conflict", page.entries[0].id)
        assert [(each.code, each.authorization_id, each.version) for each in page.entries] == [
            ("conflict", "A1", 1)
        ]
        letter = await stores.letters.get(payer, page.entries[0].id)
        assert letter is not None
        assert b'"number":"X"' in (letter.content or b"")

    ground.run(scenario)


def test_what_elasticsearch_refuses_again_and_again_does_not_hold_up_the_rest(
    apart: Ground, payer: str
) -> None:
    """After five deliveries it is a dead letter; its reason has no values."""

    async def scenario(stores: Stores) -> None:
        good = [version_of(1, authorization_id=f"A{each}") for each in range(7)]
        pushed = [*good[:3], refused_version(), *good[3:]]
        tickets = [each.ticket for each in await stores.outbox.put(payer, pushed)]
        assert await stores.courier.deliver(payer) == 7
        told = await stores.outbox.status(payer, tickets[3])
        for _ in range(TRIES_MAX - 1):
            await stores.courier.deliver(payer)
        done = await stores.outbox.status(payer, tickets[3])
        (letter,) = (await stores.letters.page(payer, LetterFilter(), size=10)).entries

        assert told is not None
        assert done is not None
        assert (told["status"], told["tries"]) == ("waiting", 1)
        assert told["reason"] == ("elasticsearch refused it: 400 strict_dynamic_mapping_exception")
        assert (done["status"], done["tries"]) == ("refused", TRIES_MAX)
        assert (letter.code, letter.authorization_id) == ("refused", "POISON")
        assert "CANARY" not in str((letter.shown(), told, done))
        assert await waiting(stores, payer) == (0, 0)
        others = await outcomes(stores.outbox, payer, tickets[:3] + tickets[4:])
        # Some were written together with what was refused, and then came again.
        assert set(others) <= {"created", "unchanged"}

    apart.run(scenario)


def test_whatever_else_is_wrong_with_one_does_not_hold_up_the_rest(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a fault that nobody foresaw, in a push or a withdrawal."""

    async def scenario(stores: Stores) -> None:
        really = stores.authorizations.push

        async def push_or_fail(whose: str, pushed: Sequence[Pushed]) -> list[PushResult]:
            if any(each.authorization.version == 3 for each in pushed):
                raise RecursionError("CANARY")
            return await really(whose, pushed)

        async def fail(*_: object) -> PushResult:
            raise ValueError("CANARY")

        monkeypatch.setattr(stores.authorizations, "push", push_or_fail)
        monkeypatch.setattr(stores.authorizations, "withdraw_unknown", fail)
        pushed = [version_of(each, authorization_id=f"A{each}") for each in range(1, 6)]
        queued = await stores.outbox.put(payer, pushed)
        queued.append(await stores.outbox.put_withdrawal(payer, "B", 4))
        for _ in range(TRIES_MAX):
            await stores.courier.deliver(payer)
        found = [await stores.outbox.status(payer, each.ticket) for each in queued]

        assert [each and each["status"] for each in found] == [
            "created",
            "created",
            "refused",
            "created",
            "created",
            "refused",
        ]
        assert found[2] is not None
        assert found[2]["reason"] == "it could not be stored (RecursionError)"
        assert await stores.letters.count(payer) == 2

    ground.run(scenario)


def test_who_may_not_write_makes_no_dead_letters(
    ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that ran out is a fault of ours, not of the pushes: they wait."""

    async def scenario(stores: Stores) -> None:
        await stores.outbox.put(payer, [version_of(1)])

        async def deny(*_: object) -> None:
            raise EngineUnavailable("elasticsearch", NOT_LET_IN)

        monkeypatch.setattr(breaker, "OPEN_S", 0)
        with monkeypatch.context() as patched:
            patched.setattr(stores.authorizations, "push", deny)
            for _ in range(TRIES_MAX + 1):
                with pytest.raises(EngineUnavailable):
                    await stores.courier.deliver(payer)
        assert await stores.letters.count(payer) == 0
        assert await stores.courier.deliver(payer) == 1

    ground.run(scenario)
