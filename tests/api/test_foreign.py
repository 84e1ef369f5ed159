"""Data of another payer are answered exactly like data that do not exist.

Generated from the routes: every one with an id is asked for something of another payer, and for
something that never was. Status, headers, body and the calls to the engines must be the same.
"""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import elastic_transport
import httpx
import pytest
import redis.asyncio as redis
from fastapi import FastAPI

from service.api.app import create_app
from service.application.keys import KeyWanted, make
from service.application.parts import local_caller
from service.domain.alert import alert_id
from service.domain.work_item import offer_item
from service.rules.texts import read_folder
from tests.api.bodies import authorization_body, charge_body, claim_body
from tests.api.test_scopes import matrix
from tests.builders import build_authorization
from tests.ground import Ground, as_pushed
from tests.papers import PDF
from tests.partners.bed import asked
from tests.serving import keys_of

PATIENCE_S = 30
TRIES = 3
"""What a worker asks again when some time has passed may fall on one of two calls, not on all."""
OWNER, OTHER = "key-of-the-owner", "key-of-the-other"
WITH_ID = sorted(" ".join(route) for route in matrix() if "{" in route[1])

CALLS: ContextVar[list[str] | None] = ContextVar("calls", default=None)
"""What a request asked the engines for; work beside the requests is not counted."""


OF_THE_GUARD = re.compile(r"GET .*epoch|/accounting")
"""Whether units may be moved at all is asked again when some time has passed, whoever calls."""


def count(engine: str, what: str) -> None:
    """Note a call of the request that is being answered."""
    calls = CALLS.get()
    if calls is not None and not OF_THE_GUARD.search(what):
        calls.append(f"{engine} {what}")


@pytest.fixture
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what is sent to both engines, and send it."""
    send = elastic_transport.AsyncTransport.perform_request
    execute: Any = redis.Redis.execute_command
    together: Any = redis.client.Pipeline.execute

    async def perform_request(self: Any, method: str, target: str, **more: Any) -> Any:
        count("elasticsearch", f"{method} {target.partition('?')[0]}")
        return await send(self, method, target, **more)

    async def execute_command(self: Any, *words: Any, **more: Any) -> Any:
        count("redis", " ".join(map(str, words[:2])))
        return await execute(self, *words, **more)

    async def run_together(self: Any, *words: Any, **more: Any) -> Any:
        count("redis", f"together {len(self.command_stack)}")
        return await together(self, *words, **more)

    monkeypatch.setattr(elastic_transport.AsyncTransport, "perform_request", perform_request)
    monkeypatch.setattr(redis.Redis, "execute_command", execute_command)
    monkeypatch.setattr(redis.client.Pipeline, "execute", run_together)


@dataclass
class Places:
    """A service, its two payers, and the ids of what the owner has, by their name in a path."""

    app: FastAPI
    owner: httpx.AsyncClient
    other: httpx.AsyncClient
    payer: str
    ids: dict[str, str] = field(default_factory=dict)
    entry: str = ""

    async def fill(self) -> None:
        """Let the owner have one of everything."""
        mark = uuid.uuid4().hex[:6]
        name, claim, late = f"A-{mark}", f"C-{mark}", f"L-{mark}"
        body = authorization_body(authorization_id=name)
        await self.done("PUT", f"/authorizations/{name}", json=body)
        await self.done("POST", "/adjudicate", json=claim_body(claim_id=claim))
        charge = {"charge": charge_body(f"CH-{mark}"), "authorization_id": name}
        await self.done("POST", "/charges/attach", json=charge)
        history = await self.owner.get(f"/claims/{claim}/history")
        self.entry = history.json()["entries"][0]["entry"]
        waiting = claim_body(claim_id=late, member={"id": "M-late"})
        await self.done("POST", "/adjudicate", json=waiting)
        body = authorization_body(authorization_id=f"B-{mark}", member={"id": "M-late"})
        await self.done("PUT", f"/authorizations/B-{mark}", json=body)
        refused = await self.owner.put("/authorizations/X", json={"mark": mark})
        await self.done("POST", f"/members/M{mark.upper()}/merge", json={"into": "M-into"})
        parts = self.app.state.application
        pushed = as_pushed(build_authorization("professional", authorization_id=f"Q-{mark}"))
        (queued,) = await parts.stores.outbox.put(self.payer, [pushed])
        wanted = KeyWanted(name="theirs", role="examiner", payers=(self.payer,))
        key = await make(local_caller(parts, self.payer), wanted)
        self.ids = {
            "authorization_id": name,
            "resource_id": name,
            "charge_id": f"CH-{mark}",
            "claim_id": claim,
            "letter_id": refused.json()["dead_letter"],
            "member_id": f"M{mark.upper()}",
            "ticket": queued.ticket,
            "key_id": key["id"],
            "request_id": f"R-{mark}",
        }
        await self.alert(f"P-{mark}")
        await self.done("PUT", f"/requests/R-{mark}", json=asked(request_id=f"R-{mark}"))
        kept = await self.done("POST", f"/authorizations/{name}/documents", content=PDF)
        self.ids["document_id"] = kept["document_id"]
        await self.study(claim)
        await self.rules()
        item = offer_item(late)
        for _ in range(PATIENCE_S * 10):
            if (await self.owner.get(f"/worklist/{item}")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        self.ids["item_id"] = item

    def sent(self, method: str, path: str, own_id: str) -> dict[str, Any]:
        """What a route takes; to compare, an adjudication of the owner's claim."""
        if path.endswith("/compare"):
            return {"params": {"one": self.entry, "other": self.entry}}
        return sent_to(method, path, own_id)

    async def alert(self, name: str) -> None:
        """Let the owner have an alert, of what was pended long ago."""
        pended: Any = {"decision": {"action": "A4"}, "received_at": "2026-01-01T00:00:00Z"}
        body = authorization_body(authorization_id=name, number=name, **pended)
        await self.done("PUT", f"/authorizations/{name}", json=body)
        await self.app.state.application.stores.alerts.evaluating.look(self.payer)
        self.ids["alert_id"] = alert_id("pended", name, "2026-01-01")

    async def study(self, claim: str) -> None:
        """Let the owner have a study of a claim, a report of it, and a suggestion."""
        asked = {"name": "theirs", "claims": [claim_body(claim_id=claim)]}
        made = await self.done("POST", "/studies", json=asked)
        for _ in range(PATIENCE_S * 10):
            if (await self.owner.get(f"/studies/{made['id']}")).json()["status"] == "done":
                break
            await asyncio.sleep(0.1)
        studies = self.app.state.application.stores.studies
        head = await studies.read(self.payer, "study", made["id"])
        report = replace(head, kind="report", id=uuid.uuid4().hex[:16], study=head.id)
        content = json.dumps({"study": {"id": head.id}, "rows": []}).encode()
        await studies.write_report(self.payer, report, content, b"<p></p>")
        suggestion = replace(head, kind="suggestion", id=uuid.uuid4().hex[:16], study=head.id)
        await studies.write(self.payer, suggestion)
        self.ids |= {
            "study_id": head.id,
            "report_id": report.id,
            "suggestion_id": suggestion.id,
        }

    async def rules(self) -> None:
        """Let the owner have a draft, and a set of rules that is in force for him alone."""
        parts, why = self.app.state.application, {"reason": "a test"}
        texts = read_folder(parts.settings.queries_dir)
        changed = {"dental.yaml": texts["dental.yaml"] + "# a remark\n"}
        draft = await self.done(
            "POST", "/rules/drafts", json={"title": "theirs", "changed": changed, **why}
        )
        made = await self.done("POST", "/rules/rollback", json={"to": 1, **why})
        self.ids |= {"draft_id": draft["id"], "number": str(made["number"])}

    async def done(self, method: str, path: str, **sent: Any) -> Any:
        """Do something as the owner; it must succeed, and is answered."""
        answer = await self.owner.request(method, path, **sent)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@asynccontextmanager
async def places(ground: Ground, payer: str) -> AsyncIterator[Places]:
    """The service in this process, so that what a request asks for can be told."""
    keys = keys_of({OWNER: payer, OTHER: f"{payer}-other"})
    settings = ground.settings.model_copy(update={"api_keys": keys})
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        way = httpx.ASGITransport(app)
        clients = [
            httpx.AsyncClient(transport=way, base_url="http://x", headers={"x-api-key": key})
            for key in (OWNER, OTHER)
        ]
        made = Places(app, clients[0], clients[1], payer)
        await made.fill()
        yield made


def sent_to(method: str, path: str, own_id: str) -> dict[str, Any]:
    """A body that a route takes."""
    if method == "PUT" and path.startswith("/requests"):
        return {"json": asked(request_id=own_id)}
    if path == "/alerts/choice" and method == "PUT":
        return {"json": {"kinds": ["used"]}}
    if method == "PUT":
        return {"json": authorization_body(authorization_id=own_id)}
    if method == "DELETE":
        return {"params": {"version": 7} if path.startswith("/auth") else {"why": "a test"}}
    if method == "GET":
        return {}
    step = path.rpartition("/")[2]
    bodies: dict[str, Any] = {
        "merge": {"into": "M-else"},
        "benefit-limits": {"lines": [{"line": 1, "limit_adjustments": [{"carc": "119"}]}]},
        "adjust": {"lines": [{"line": 1, "units": "0"}]},
        "skip": {"reason": "a test"},
        "dismiss": {"reason": "a test"},
        "refuse": {"reason": "a test"},
        "resolve": {"action": "readjudicate"},
        "copy": {"request_id": "R-next", "certification_type": "R"},
        "request": {"request_id": "R-next", "certification_type": "R"},
        "try": {"claim": claim_body()},
    }
    if step == "retry":
        return {}
    return {"json": bodies.get(step, {}), "headers": {"if-match": "*"}}


def another(own_id: str) -> str:
    """An id that is nobody's, written like one that is."""
    last = own_id[-6:]
    return own_id[:-6] + last.translate(
        str.maketrans("0123456789abcdefABCDEF", "1234567890bcdefaBCDEFA")
    )


async def told(places: Places, method: str, path: str, own_id: str) -> tuple[Any, list[str]]:
    """What the other payer is answered, without the id, and what the engines were asked for."""
    address = re.sub(r"\{\w+\}", own_id, path)
    calls: list[str] = []
    mark = CALLS.set(calls)
    try:
        answer = await places.other.request(method, address, **places.sent(method, path, own_id))
    finally:
        CALLS.reset(mark)

    def without_id(text: str) -> str:
        """A number may be a part of a hash; the trace number of a request is one of its id."""
        text = re.sub(r"\bAM[0-9A-F]{18}\b", "TRACE", text.replace("%7CAM", "|AM"))
        return re.sub(rf"(?<![0-9a-z]){re.escape(own_id)}(?![0-9a-z])", "ID", text)

    headers = {name: without_id(each) for name, each in answer.headers.items()}
    headers.pop("etag", None)
    text = re.sub(r'"(at|took_ms)":[^,}]*', "", without_id(answer.text))
    return (answer.status_code, headers, text), sorted(map(without_id, calls))


@pytest.mark.usefixtures("_counted")
def test_what_is_another_payers_is_like_what_never_was(own: Ground, payer: str) -> None:
    """On every route with an id: asked for by its owner it is there, by another one it is not."""

    async def scenario() -> dict[str, Any]:
        wrong: dict[str, Any] = {}
        async with places(own, payer) as found:
            for route in WITH_ID:
                method, path = route.split()
                name = re.findall(r"\{(\w+)\}", path)[0]
                theirs = found.ids[name]
                if method == "GET":
                    sent = found.sent(method, path, theirs)
                    answer = await found.owner.get(re.sub(r"\{\w+\}", theirs, path), **sent)
                    assert answer.status_code == 200, (route, answer.text)
                for _ in range(TRIES):
                    await told(found, method, path, another(another(theirs)))
                    foreign = await told(found, method, path, theirs)
                    unknown = await told(found, method, path, another(theirs))
                    if foreign == unknown:
                        break
                else:
                    wrong[route] = (foreign, unknown)
                assert foreign[1] or foreign[0][0] == 422, f"{route} asks no engine: {foreign}"
        return wrong

    wrong = asyncio.run(scenario())
    assert len(WITH_ID) > 20
    assert wrong == {}, json.dumps(wrong, indent=1)
