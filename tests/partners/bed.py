"""A clinic that asks for authorizations, and the payer's partner on loopback that answers."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from authmatch_local.partner import Partner, serving
from service.application import authorizations, requests
from service.application.authorizations import Filter
from service.application.parts import Application, Caller, application, local_caller
from service.application.reception import Stream, once, results_of, take
from service.application.sending import look
from service.domain.actor import NOBODY
from service.domain.request import AuthorizationRequest
from service.settings import TradingPartner
from tests.ground import Ground

T = TypeVar("T")
Json = dict[str, Any]


def asked(**changes: Any) -> Json:
    """Twelve units of therapy for a member, as a clinic asks for them."""
    return {
        "request_id": "R-1",
        "setting": "professional",
        "member": {"id": "W123", "birth_date": "1980-02-29", "gender": "F"},
        "patient_name": {"last": "DOE", "first": "JANE"},
        "service_type": "PT",
        "place_of_service": "11",
        "requested_dates": {"from": "2026-12-01", "to": "2027-02-28"},
        "requesting_provider": {"npi": "1234567893", "name": "CLINIC"},
        "servicing_provider": {"npi": "1234567893"},
        "diagnoses": [{"code": "M54.50"}],
        "lines": [
            {
                "line": 1,
                "procedure": {"from": "97110"},
                "modifiers": ["GP"],
                "requested": {"units": "12", "unit": "UN"},
            }
        ],
        "documents": [{"type": "OZ", "transmission": "EL", "control_number": "DOC-1"}],
        **changes,
    }


def charge(charge_id: str = "CH-1", **changes: Any) -> Json:
    """Ten units of that therapy, given on a day for which it is asked."""
    return {
        "charge_id": charge_id,
        "member": {"id": "W123"},
        "procedure": "97110",
        "modifiers": ["GP"],
        "from": "2026-12-07",
        "units": "10",
        "unit": "UN",
        "rendering_provider": {"npi": "1234567893"},
        **changes,
    }


@dataclass
class Clinic:
    """A clinic that works with one payer by one partner."""

    parts: Application
    payer: str
    partner: Partner
    folder: Path

    @property
    def caller(self) -> Caller:
        """Who works there."""
        return local_caller(self.parts, self.payer)

    async def send(self, **changes: Any) -> str:
        """Put a request and have it sent; gives its trace number."""
        request = AuthorizationRequest.model_validate(asked(**changes))
        await requests.put(self.caller, request.request_id, request)
        return str((await requests.send(self.caller, request.request_id))["trace"])

    async def goes(self, **changes: Any) -> Json:
        """Put a request, have it sent, and look once at what is due; gives how it stands."""
        await self.send(**changes)
        return await self.looks(changes.get("request_id", "R-1"))

    async def looks(self, request_id: str = "R-1", times: int = 1) -> Json:
        """Do what is due now, whatever the pauses are, and give how a request stands."""
        for _ in range(times):
            await self.hasten(request_id)
            await look(self.parts, self.payer)
            if self.parts.settings.trading_partners[self.payer].folder:
                self.partner.answer_files(self.folder)
                await look(self.parts, self.payer)
        return await self.stands(request_id)

    async def stands(self, request_id: str = "R-1") -> Json:
        """How a request stands."""
        return await requests.read(self.caller, request_id)

    async def hasten(self, request_id: str) -> None:
        """Let the pause of a request be over."""
        store = self.parts.stores.requests
        trace = store.trace(self.payer, request_id)
        now = datetime.now(UTC)
        await store.change(
            self.payer, trace, lambda it: it.put(due=now) if it.step is not None else it
        )

    async def takes(self, content: bytes) -> list[Json]:
        """Take in what comes by another way."""
        stream = Stream(chunks=once(content), origin="a test")
        return [
            each async for each in results_of(take(self.parts, self.payer, stream, actor=NOBODY))
        ]

    async def rows(self) -> list[tuple[str, str | None]]:
        """The authorizations of the member as a list shows them: how each stands, its number."""
        wanted = Filter(member="W123")
        page = await authorizations.listing_on(self.caller, wanted, None, size=50, after=None)
        found = ((each.state["status"], each.source.get("number")) for each in page.entries)
        return sorted(found, key=str)


def at_the_clinic(
    ground: Ground, work: Callable[[Clinic], Awaitable[T]], folder: Path, **more: Any
) -> T:
    """Work with a payer that no other test has; ``more`` is said of its partner."""
    payer, partner = f"p{uuid.uuid4().hex[:12]}", Partner()

    async def opened(url: str) -> T:
        way = {"folder": folder} if more.pop("by_folder", False) else {"url": url}
        undated = more.pop("undated", "refuse")
        told = TradingPartner(
            receiver="PAYER", payer_id="EP100", **{"inquire_s": 60, **way, **more}
        )
        settings = ground.settings.model_copy(
            update={"trading_partners": {payer: told}, "x12_undated_grants": undated}
        )
        async with application(settings, rules=ground.rules) as parts:
            return await work(Clinic(parts, payer, partner, folder))

    with ExitStack() as stack:
        return asyncio.run(opened(stack.enter_context(serving(partner))))
