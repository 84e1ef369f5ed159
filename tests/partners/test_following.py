"""What follows on a request: renewals, amendments, appeals, cancellations; days that were asked."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.application import alerts, claims, requests
from service.application.alerts import Wanted
from service.application.requests import CopyAsked, RequestConflict
from service.domain.adjudication import Adjudication
from tests.api.bodies import claim_body
from tests.ground import Ground
from tests.partners.bed import Clinic, Json, asked, at_the_clinic

DIAGNOSES: list[Json] = [{"code": "M54.50"}]


def copying(certification: Any, request_id: str = "R-2", **changes: Any) -> CopyAsked:
    """What is to follow."""
    return CopyAsked(request_id=request_id, certification_type=certification, changes=changes)


def billed(units: str) -> Adjudication:
    """A claim for the therapy that was asked for."""
    line = {"line": 1, "procedure": "97110", "modifiers": ["GP"], "units": units, "unit": "UN"}
    return Adjudication.model_validate(
        claim_body(
            member={"id": "W123", "birth_date": "1980-02-29"},
            rendering_provider={"npi": "1234567893"},
            billing_provider={"npi": "1234567893"},
            authorization_numbers=[],
            lines=[{**line, "from": "2026-12-07", "to": "2026-12-07"}],
        )
    )


@pytest.mark.parametrize("form", ["x12", "fhir"])
@pytest.mark.parametrize(
    ("certification", "status"),
    [("R", "APPROVED"), ("4", "APPROVED"), ("S", "APPROVED"), ("3", "CANCELLED")],
)
def test_a_change_is_a_message_of_its_own_copied_forward(
    ground: Ground, tmp_path: Path, certification: str, status: str, form: str
) -> None:
    """With the number that it is about (REF*BB), and all else as it was."""

    async def work(clinic: Clinic) -> None:
        first = await clinic.goes()
        made = await requests.copy(clinic.caller, "R-1", copying(certification))
        assert made.is_new
        assert made.answer["request"]["previous_number"] == first["number"]
        assert made.answer["request"]["lines"] == first["request"]["lines"]
        same = await requests.copy(clinic.caller, "R-1", copying(certification))
        assert not same.is_new

        await requests.send(clinic.caller, "R-2")
        after = await clinic.looks("R-2")

        assert after["status"] == status, after
        message = clinic.partner.received[after["trace"]][0].decode()
        assert str(first["number"]) in message

    at_the_clinic(ground, work, tmp_path, format=form)


def test_a_renewal_tells_what_was_used(ground: Ground, tmp_path: Path) -> None:
    """From the request or from the authorization, as evidence in the message."""

    async def work(clinic: Clinic) -> None:
        first = await clinic.goes()
        done = (await claims.adjudicate(clinic.caller, billed("9"))).answer
        assert done["lines"][0]["approved"]["units"] == "9"
        name = first["authorization_id"]
        for made in (
            await requests.copy(clinic.caller, "R-1", copying("R")),
            await requests.renew(clinic.caller, name, copying("R", "R-3", diagnoses=DIAGNOSES)),
        ):
            request = made.answer["request"]
            assert request["evidence"] == [{"line": 1, "unit": "UN", "granted": "12", "used": "9"}]
            assert request["requested_dates"] == {"from": "2027-03-01", "to": "2027-05-29"}
        sent = await requests.send(clinic.caller, "R-2")
        await clinic.looks("R-2")
        assert b"USED 9 OF 12 UN LINE 1" in clinic.partner.received[sent["trace"]][0]

    at_the_clinic(ground, work, tmp_path)


def test_an_amendment_asks_for_what_was_used_beyond(ground: Ground, tmp_path: Path) -> None:
    """Seed 000, troubleshooting: used exceeds approved."""

    async def work(clinic: Clinic) -> None:
        first = await clinic.goes()
        name, amend = first["authorization_id"], copying("S", diagnoses=DIAGNOSES)
        with pytest.raises(RequestConflict, match="nothing was used beyond"):
            await requests.renew(clinic.caller, name, copying("S"))
        await claims.adjudicate(clinic.caller, billed("10"))
        clinic.partner.decided[first["trace"]] = "A6", datetime.now(UTC) + timedelta(minutes=1)
        message = clinic.partner.received[first["trace"]][0]
        await clinic.takes(clinic.partner.answer(message) or b"")
        reduced = await clinic.stands()
        assert reduced["status"] == "MODIFIED"

        made = await requests.renew(clinic.caller, name, amend)

        request = made.answer["request"]
        assert request["lines"][0]["requested"]["units"] == "10"
        assert request["evidence"] == [{"line": 1, "unit": "UN", "granted": "6", "used": "10"}]

    at_the_clinic(ground, work, tmp_path)


def test_a_denied_one_is_rebuilt_or_appealed(ground: Ground, tmp_path: Path) -> None:
    """A new one with its differences, or an appeal; an update of it is refused (PAS)."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.decision = "denied"
        denied = await clinic.goes()
        assert denied["may_follow"] == ["I", "1", "2", "N"]
        with pytest.raises(RequestConflict, match="DENIED"):
            await requests.copy(clinic.caller, "R-1", copying("S"))
        with pytest.raises(ValidationError):
            await requests.copy(clinic.caller, "R-1", copying("2"))
        appeal = copying("2", previous_reference="AR1")
        assert (await requests.copy(clinic.caller, "R-1", appeal)).is_new
        rebuilt = copying("I", "R-3", diagnoses=[{"code": "M54.51"}])
        made = await requests.copy(clinic.caller, "R-1", rebuilt)
        assert made.answer["differences"] == [
            {"path": "/diagnoses/0/code", "was": "M54.50", "is": "M54.51"}
        ]

    at_the_clinic(ground, work, tmp_path)


@pytest.mark.parametrize(
    ("decision", "term", "kinds", "following"),
    [
        ("pended", "follow_up", ["document-missing", "follow-up"], "S"),
        ("denied", "appeal_by", ["appeal"], "2"),
        ("denied", "appeal_by", ["appeal"], "I"),
    ],
)
def test_what_a_request_needs_is_told_once_until_somebody_sent_something(
    ground: Ground, tmp_path: Path, decision: Any, term: str, kinds: list[str], following: str
) -> None:
    """By two workers at once, and again; a draft ends nothing, what was sent ends it."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.decision = decision
        first = await clinic.goes()
        stores, today = clinic.parts.stores, datetime.now(UTC).date()

        async def listed(state: Any = "open") -> list[Any]:
            wanted = Wanted(state=state)
            page = await alerts.page(clinic.caller, wanted, size=50, after=None)
            return sorted(page.entries, key=lambda each: each.kind)

        async def found() -> int:
            async with ground.stores() as others:
                both = [each.alerts.evaluating.look(clinic.payer) for each in (stores, others)]
                return sum(await asyncio.gather(*both))

        await found()
        assert await listed() == [] or decision == "pended"
        await stores.requests.change(
            clinic.payer, first["trace"], lambda it: it.put(**{term: today})
        )
        assert (await found(), await found()) == (1, 0)
        told = [each for each in await listed() if each.request_id == "R-1"]
        assert [each.kind for each in told] == kinds
        assert {each.authorization_id for each in told} == {first["authorization_id"]}

        follows = copying(following, previous_reference="AR1", note="AGAIN")
        await requests.copy(clinic.caller, "R-1", follows)
        assert [each for each in await listed() if each.request_id == "R-1"] == told
        await requests.send(clinic.caller, "R-2")
        assert [each for each in await listed() if each.request_id == "R-1"] == []
        assert [each.kind for each in await listed("over") if each.request_id] == kinds
        assert await found() == 0

    at_the_clinic(ground, work, tmp_path)


@pytest.mark.parametrize(("policy", "status"), [("requested", "APPROVED"), ("refuse", "PENDING")])
def test_an_answer_without_days_has_those_that_were_asked(
    ground: Ground, tmp_path: Path, policy: str, status: str
) -> None:
    """By policy, from the request that we keep: it stands in no file with its answer."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.way = "silent"
        trace = await clinic.send()
        await clinic.looks()
        clinic.partner.way = "usual"
        said = (clinic.partner.answer(clinic.partner.received[trace][0]) or b"").decode()
        lines = said.splitlines()
        assert [each for each in lines if each.startswith("DTP*007")]
        bare = [each for each in lines if not each.startswith("DTP")]
        count = len(lines) - len(bare)
        end = next(each for each in bare if each.startswith("SE*"))
        bare[bare.index(end)] = f"SE*{int(end.split('*')[1]) - count}*0001~"

        (result,) = await clinic.takes("\n".join(bare).encode())

        assert (await clinic.stands())["status"] == status, result
        if policy == "requested":
            stored = await clinic.parts.stores.reading.get(clinic.payer, result["authorization_id"])
            assert stored is not None
            assert stored.source["requested_dates"] == asked()["requested_dates"]

    at_the_clinic(ground, work, tmp_path, undated=policy)


def test_what_is_of_another_person_or_nobodys_trace_joins_nothing(
    ground: Ground, tmp_path: Path
) -> None:
    """Nor does what could not be taken in."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.way = "silent"
        trace = await clinic.send()
        await clinic.looks()
        clinic.partner.way = "usual"
        said = clinic.partner.answer(clinic.partner.received[trace][0]) or b""
        await clinic.takes(said.replace(b"MI*W123", b"MI*W999"))
        await clinic.takes(said.replace(trace.encode(), b"AM" + b"0" * 18))
        assert (await clinic.stands())["status"] == "PENDING"

    at_the_clinic(ground, work, tmp_path)
