"""A clinic sends requests, and the payer answers in every mood."""

from pathlib import Path
from typing import Any

import pytest

from service.application import _answers, requests, sending
from service.application.requests import RequestConflict
from service.application.sending import look
from tests.ground import Ground
from tests.partners.bed import Clinic, Json, at_the_clinic, charge

GONE = ("VOID", "SUPERSEDED")


class Died(Exception):
    """A worker ended."""


WAYS: tuple[Json, ...] = (
    {"format": "x12"},
    {"format": "fhir"},
    {"format": "x12", "by_folder": True},
)


@pytest.mark.parametrize("way", WAYS, ids=["x12", "fhir", "files"])
@pytest.mark.parametrize(
    ("decision", "status", "row"),
    [
        ("approved", "APPROVED", "UPCOMING"),
        ("modified", "MODIFIED", "UPCOMING"),
        ("denied", "DENIED", "DENIED"),
        ("pended", "PENDED", "PENDING"),
        ("delay", "PENDING", "PENDING"),
    ],
)
def test_what_the_payer_decides_is_how_the_request_and_its_row_stand(
    ground: Ground, tmp_path: Path, way: Json, decision: Any, status: str, row: str
) -> None:
    """Seed 000: the row is PENDING, and the response flips it."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.decision = decision
        trace = await clinic.send(charges=[charge()])
        before = await clinic.stands()
        assert (before["status"], before["step"]) == ("PENDING", "send")
        assert await clinic.rows() == [("PENDING", None)]

        after = await clinic.looks()

        assert after["status"] == status, after
        number = f"PA{trace[2:10]}" if status in ("APPROVED", "MODIFIED") else None
        assert after["number"] == number
        assert [each for each in await clinic.rows() if each[0] not in GONE] == [(row, number)]
        assert len(set(clinic.partner.received[trace])) == 1
        offered = [each["charge_id"] for each in after["offers"]]
        assert offered == (["CH-1"] if number else [])
        if decision == "pended":
            assert after["reference"] == f"AR{trace[2:10]}"
            assert after["wanted"] == ["18842-5"]
            assert after["follow_up"] is not None
        if decision == "delay":
            assert (after["problem"], after["step"]) == ("PROCESSING_DELAY", "send")
        assert (after["appeal_by"] is not None) == (decision == "denied")

    at_the_clinic(ground, work, tmp_path, **way)


@pytest.mark.parametrize("way", ["slow", "down", "garbage"])
def test_a_partner_that_fails_gets_the_same_bytes_until_it_answers(
    ground: Ground, tmp_path: Path, way: Any
) -> None:
    """However often it is retried, the payer has one request (seed 000: the cadence)."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.way = way
        trace = await clinic.send()
        failed = await clinic.looks(times=3)
        assert (failed["status"], failed["step"], failed["attempts"]) == ("PENDING", "send", 3)
        assert failed["problem"]

        clinic.partner.way = "usual"
        after = await clinic.looks()

        assert (after["status"], after["problem"]) == ("APPROVED", None)
        received = clinic.partner.received[trace]
        assert (len(received), len(set(received))) == (4, 1)
        assert list(clinic.partner.received) == [trace]
        assert len([each for each in await clinic.rows() if each[0] not in GONE]) == 1

    at_the_clinic(ground, work, tmp_path, timeout_s=0.3)


@pytest.mark.parametrize("way", ["twice", "out-of-order"])
def test_answers_that_come_twice_or_late_change_nothing(
    ground: Ground, tmp_path: Path, way: Any
) -> None:
    """A pend that is older than the decision is kept, and told; it flips nothing."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.way = way
        after = await clinic.goes()
        assert after["status"] == "APPROVED"
        told = [each["action"] for each in after["answers"]]
        assert told == (["A1"] if way == "twice" else ["A1", "A4"])
        await clinic.looks(times=2)
        assert sum(map(len, clinic.partner.received.values())) == 1

    at_the_clinic(ground, work, tmp_path)


@pytest.mark.parametrize("form", ["x12", "fhir"])
def test_a_pended_request_is_asked_about_until_it_is_decided(
    ground: Ground, tmp_path: Path, form: str
) -> None:
    """By cadence, or on demand; one that was answered is asked about no more."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.decision = "pended"
        pended = await clinic.goes()
        assert (pended["status"], pended["step"]) == ("PENDED", "inquire")
        again = await clinic.looks()
        assert (again["status"], clinic.partner.inquiries) == ("PENDED", 1)
        assert again["follow_up"] == pended["follow_up"]

        clinic.partner.decision = "approved"
        await requests.inquire(clinic.caller, "R-1")
        await look(clinic.parts, clinic.payer)

        after = await clinic.stands()
        assert (after["status"], after["step"], after["follow_up"]) == ("APPROVED", None, None)
        assert clinic.partner.inquiries == 2
        with pytest.raises(RequestConflict, match="decided"):
            await requests.inquire(clinic.caller, "R-1")

    at_the_clinic(ground, work, tmp_path, format=form)


def test_a_partner_that_only_takes_it_is_asked_later(ground: Ground, tmp_path: Path) -> None:
    """202 without a word, then an answer by another way, such as a subscription's."""

    async def work(clinic: Clinic) -> None:
        clinic.partner.way = "silent"
        silent = await clinic.goes()
        assert (silent["status"], silent["step"]) == ("PENDING", "inquire")
        assert silent["delivered_at"] is not None
        trace = silent["trace"]
        message = clinic.partner.received[trace][0]

        clinic.partner.way = "usual"
        (result,) = await clinic.takes(clinic.partner.answer(message) or b"")

        assert result["status"] in ("created", "updated")
        assert (await clinic.stands())["status"] == "APPROVED"

    at_the_clinic(ground, work, tmp_path, format="fhir")


@pytest.mark.parametrize("at", ["row", "written", "leased", "sent", "stored"])
def test_a_crash_at_each_step_loses_nothing_and_sends_nothing_else(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The worker dies; another one goes on, and the payer sees one trace and the same bytes."""

    async def dies(*_: object, **__: object) -> None:
        raise Died

    async def work(clinic: Clinic) -> None:
        store = clinic.parts.stores.requests
        with monkeypatch.context() as broken:
            if at == "row":
                broken.setattr(requests, "sent", lambda *_: (_ for _ in ()).throw(Died))
            if at == "leased":
                broken.setattr(sending, "_brought", dies)
            if at == "sent":
                broken.setattr(sending, "_read", dies)
            if at == "stored":
                broken.setattr(_answers, "_join", dies)
            if at == "written":
                broken.setattr(sending, "look", dies)
            with pytest.raises(Died):
                await clinic.send()
                await sending.look(clinic.parts, clinic.payer)
        trace = await clinic.send()
        after = await clinic.looks(times=2)

        assert (after["status"], after["number"]) == ("APPROVED", f"PA{trace[2:10]}")
        assert len(set(clinic.partner.received[trace])) == 1
        assert list(clinic.partner.received) == [trace]
        kept = await store.by_trace(clinic.payer, trace)
        assert kept is not None
        assert len(kept.request.answers) == 1
        assert len([each for each in await clinic.rows() if each[0] not in GONE]) == 1

    at_the_clinic(ground, work, tmp_path)
