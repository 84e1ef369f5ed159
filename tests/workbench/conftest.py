"""One service, one browser and one payer's examples for each module of page tests."""

import asyncio
import json
import os
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page
from pydantic import SecretStr

from service.access.subject import hash_of
from service.application.parts import Application, application
from service.application.sessions import ticket_of_key
from service.settings import Settings
from tests.access.issuer import SmallIssuer
from tests.api.browsers import at_issuer
from tests.ground import Ground
from tests.ground import ground as ground
from tests.redis_process import free_port
from tests.serving import client_of, serving
from tests.workbench.browser import chromium

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
CLAIMS = ("professional", "inpatient", "outpatient", "referral", "dental")


@dataclass(eq=False)
class Desk:
    """A running service with data, where people with a role sign in to its pages."""

    url: str
    settings: Settings
    browser: Browser
    payer: str

    @cached_property
    def page(self) -> Page:
        """Somebody who may do everything, for tests that only look."""
        return self.sit_down()

    def caller(self, role: str = "all") -> httpx.Client:
        """A program with the key of a role."""
        return client_of(self.url, key_of(role, self.payer))

    def sit_down(self, role: str = "all", *, width: int = 1280, **context: Any) -> Page:
        """Somebody who has just opened the link that signs in."""
        context.setdefault("reduced_motion", "reduce")
        page = self.browser.new_context(
            viewport={"width": width, "height": 900}, **context
        ).new_page()
        page.goto(self.link(role))
        return page

    def meanwhile(self, work: Callable[[Application], Coroutine[Any, Any, Any]]) -> Any:
        """Do something with the parts of the service, beside it."""

        async def done() -> Any:
            async with application(self.settings) as parts:
                return await work(parts)

        return _meanwhile(done())

    def link(self, role: str = "all") -> str:
        """The link that signs somebody with a role in, once."""
        hashed = hash_of(key_of(role, self.payer).encode())

        ticket = self.meanwhile(lambda parts: ticket_of_key(parts, role, hashed))
        return f"{self.url}/session/open?ticket={ticket}&next=/workbench"


def _meanwhile(asked: Coroutine[Any, Any, Any]) -> Any:
    """Run something beside the event loop of the browser."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()


ROLES = ("all", "examiner", "supervisor", "biller", "ops-author", "ops-approver", "auditor")


def key_of(role: str, payer: str) -> str:
    """The key of a role for the payer of a desk."""
    return f"{role}-{payer}"


def example(name: str) -> dict[str, Any]:
    """A claim of the examples."""
    claim: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return claim


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for a module; while it runs, this thread has its event loop."""
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def desk(ground: Ground, browser: Browser) -> Iterator[Desk]:
    """A service whose payer has the examples, and their claims adjudicated."""
    with furnished(ground, browser) as one:
        yield one


@contextmanager
def furnished(
    ground: Ground,
    browser: Browser,
    *,
    are_kept: bool = False,
    payer: str | None = None,
    issuer: SmallIssuer | None = None,
) -> Iterator[Desk]:
    """A desk with the examples; with ``are_kept`` by rules that may be changed.

    At the ``issuer`` people of ``acme`` sign in, for the payer of the desk.
    """
    payer = payer or f"p-{uuid.uuid4().hex[:12]}"
    keys: dict[SecretStr, Any] = {
        SecretStr(key_of(each, payer)): {
            "payers": [payer],
            "name": each,
            "role": None if each == "all" else each,
        }
        for each in ROLES
    }
    changes = {"open_profile": False, "api_keys": keys, "ledger_sweep_s": 3600}
    port = free_port() if issuer else 0
    if issuer:
        changes |= {**at_issuer(issuer, port), "token_payers": {"acme": payer}}
    settings = Settings.model_validate(ground.settings.model_dump() | changes)
    with serving(settings, port, are_kept=are_kept) as url:
        one = Desk(url, settings, browser, payer)
        with one.caller() as caller:
            furnish(caller)
        yield one


def furnish(caller: httpx.Client) -> None:
    """Push the authorizations of the examples, and adjudicate their claims."""
    content = (EXAMPLES / "authorizations.ndjson").read_bytes()
    sent = caller.post(
        "/authorizations/bulk", content=content, headers={"content-type": "application/x-ndjson"}
    )
    assert sent.status_code == 200, sent.text
    for each in CLAIMS:
        answered = caller.post("/adjudicate", json=example(f"claim-{each}"))
        assert answered.status_code == 200, answered.text


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots of this run are kept; `make screenshots` has them in the documentation."""
    folder = Path(os.environ.get("AUTHMATCH_PICTURES", ROOT / "dist" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
