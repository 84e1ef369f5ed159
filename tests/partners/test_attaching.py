"""Charges of a request, once it is granted: offered, or attached at once by the payer's policy."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.application import authorizations, charges, claims
from service.application.charges import Attachment
from service.application.sending import look
from service.domain.charge import Charge
from tests.ground import Ground
from tests.partners.bed import Clinic, at_the_clinic, charge
from tests.partners.test_following import billed


async def attachments(clinic: Clinic, name: str) -> list[str]:
    """Who attached what to an authorization, by its ledger, the newest first."""
    ledger = await authorizations.ledger(clinic.caller, name, size=50, after=None)
    return [
        f"{each['by']} {each['claim_id']}" for each in ledger["entries"] if each["kind"] == "attach"
    ]


@pytest.mark.parametrize(
    ("policy", "decision", "units", "state", "problem"),
    [
        ("offer", "approved", "10", "offered", None),
        ("attach", "approved", "10", "attached", None),
        ("attach", "modified", "10", "offered", "less is left of it than the charge needs"),
    ],
)
def test_what_is_granted_is_offered_or_attached(
    ground: Ground,
    tmp_path: Path,
    policy: str,
    decision: Any,
    units: str,
    state: str,
    problem: str | None,
) -> None:
    """All of its units are reserved, or nothing is, and the request says why."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.decision = decision
        await clinic.goes(charges=[charge(units=units)])
        after = await clinic.looks(times=2)
        assert [each["is"] for each in after["offers"]] == [state]
        assert after["problem"] == (problem and f"not attached: CH-1: {problem}")
        one = Charge.model_validate(charge(units=units))
        checked = await charges.check(clinic.caller, one)
        assert checked["auth_required"] == (state != "attached")

    at_the_clinic(ground, work, tmp_path, when_granted=policy)


def test_it_is_attached_once_whoever_dies_or_looks_again(ground: Ground, tmp_path: Path) -> None:
    """Two workers, a crash before it is written that it was done, and the same answer again."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.way = "twice"
        first = await clinic.goes(charges=[charge(), charge("CH-2", units="2")])
        assert (first["status"], first["step"]) == ("APPROVED", "attach")
        await asyncio.gather(*(look(clinic.parts, clinic.payer) for _ in range(3)))
        store, trace = clinic.parts.stores.requests, first["trace"]
        due = {"step": "attach", "due": datetime.now(UTC)}
        await store.change(clinic.payer, trace, lambda it: it.put(**due))
        after = await clinic.looks(times=2)

        assert [each["is"] for each in after["offers"]] == ["attached", "attached"]
        assert (after["step"], after["problem"]) == (None, None)
        done = await attachments(clinic, after["authorization_id"])
        assert done == ["policy:attach charge:CH-2", "policy:attach charge:CH-1"]

    at_the_clinic(ground, work, tmp_path, when_granted="attach")


def test_what_a_charge_has_already_stays(ground: Ground, tmp_path: Path) -> None:
    """Attached by hand to another one; and one that a claim billed in the meantime."""

    async def work(clinic: Clinic) -> None:
        other = await clinic.goes(request_id="R-0", charges=[])
        one = Charge.model_validate(charge(units="5"))
        by_hand = Attachment(charge=one, authorization_id=other["authorization_id"])
        await charges.attach(clinic.caller, by_hand)
        sent = billed("5").model_dump(mode="json", by_alias=True)
        sent["lines"][0]["charge_ids"] = ["CH-2"]
        await claims.adjudicate(clinic.caller, type(billed("5")).model_validate(sent))

        await clinic.goes(charges=[charge(units="5"), charge("CH-2", units="5")])
        after = await clinic.looks(times=2)

        assert [each["is"] for each in after["offers"]] == ["attached to another", "billed"]
        assert (await attachments(clinic, after["authorization_id"])) == []

    at_the_clinic(ground, work, tmp_path, when_granted="attach")


def test_a_claim_that_waited_is_offered(ground: Ground, tmp_path: Path) -> None:
    """Suspended for want of an authorization, and found by the late queue once it was granted."""

    async def work(clinic: Clinic) -> None:
        await claims.adjudicate(clinic.caller, billed("4"))
        name = (await clinic.goes())["authorization_id"]
        claim_id = billed("4").claim_id
        assert await clinic.parts.late_claims.look(clinic.payer, claim_id, [name]) == "worklist"
        after = await clinic.stands()
        assert [each.get("claim_id") for each in after["offers"]] == [claim_id]

    at_the_clinic(ground, work, tmp_path)
