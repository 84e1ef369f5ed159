"""Calls of a service in their order, and what was answered, without what differs in every run."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx

JSON = "application/json"
_MADE_VERSION = 1_780_000_000_000_250

Json = dict[str, Any]


@dataclass
class Story:
    """Calls a service, and keeps the first body and answer of each kind of every operation."""

    client: httpx.Client
    told: dict[str, Json] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def call(
        self,
        operation: str,
        *ids: str,
        body: Any = None,
        kind: str = JSON,
        status: int = 200,
        **more: Any,
    ) -> Any:
        """Call an operation, such as `GET /claims/{claim_id}`; gives what was answered."""
        method, path = operation.split()
        for name in ids:
            path = re.sub(r"\{\w+\}", name, path, count=1)
        headers = {**more.pop("headers", {}), **({"content-type": kind} if body else {})}
        text = body if isinstance(body, str) else json.dumps(body)
        answer = self.client.request(
            method, path, content=text.encode() if body else None, headers=headers, **more
        )
        assert answer.status_code == status, answer.text
        here = self.told.setdefault(operation, {"bodies": {}, "answers": {}})
        if body:
            here["bodies"].setdefault(kind, body)
        given = answer.headers["content-type"].partition(";")[0]
        content = answer.json() if given.endswith("json") and "nd" not in given else answer.text
        here["answers"].setdefault(str(status), {}).setdefault(given, self.steady(content))
        return content

    def steady(self, value: Any) -> Any:
        """A value without what is another one in every run: times, ids, addresses."""
        if isinstance(value, dict):
            return {
                name: _timeless(each)
                if name in ("took_ms", "start")
                else 1  # of a row: it counts how often was asked whether something is done
                if name == "number" and "signature" in value
                else _first_line(each)
                if name == "texts"
                else []  # what else ran in this process is counted, too
                if name == "live"
                else 0.1
                if name == "age_s"
                else min(each, _MADE_VERSION)  # made of the time of a message
                if name == "version" and isinstance(each, int)
                else each and "2026-06-08"
                if name == "follow_up"
                else self.steady(each)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self.steady(each) for each in value]
        return self._steady_text(value) if isinstance(value, str) else value

    def _steady_text(self, text: str) -> str:
        now = datetime.now(UTC)
        if text.startswith("{"):
            lines = [self.steady(json.loads(line)) for line in text.splitlines()]
            return "".join(f"{json.dumps(line)}\n" for line in lines)
        text = re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:8080", text)
        text = re.sub(rf"{now:%Y-%m-%d}T[\d:.]+(\+00:00|Z)?", "2026-06-01T12:00:00.000+00:00", text)
        for days in (1, 30, 365):
            later = now + timedelta(days=days)
            text = re.sub(rf"{later:%Y-%m-%d}T[\d:.]+\+00:00", f"in {days} days", text)
        text = re.sub(r"^(d?)[0-9a-f]{16}$", r"\g<1>0123456789abcdef", text)
        text = re.sub(r"^(\d+|unkept):[0-9a-f]{12}$", r"\1:0123456789ab", text)
        text = re.sub(rf"^{now:%Y-%m}(-\d\d)?$", "2026-06", text)
        text = re.sub(rf"\*(20)?{now:%y%m%d}\*\d{{4,8}}", r"*\g<1>260601*1200", text)
        text = re.sub(r"\b\d{13}-\d+\b", partial(self._named, "17800000000{:02}-0"), text)
        text = re.sub(r'^"[0-9a-f]{16}"$', '"0123456789abcdef"', text)
        return re.sub(
            r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9_-]{32,64}(?![\w-])",
            partial(self._named, "{:032x}"),
            text,
        )

    def _named(self, pattern: str, found: re.Match[str]) -> str:
        return self.names.setdefault(found[0], pattern.format(len(self.names) + 1))


def _timeless(value: Any) -> Any:
    return dict.fromkeys(value, 1.0) if isinstance(value, dict) else value


def _first_line(texts: dict[str, str]) -> dict[str, str]:
    """Of a set of rules one file, and its beginning."""
    return {"base.yaml": texts["base.yaml"].partition("\n")[0] + "\n"}


def until(ready: Callable[[], bool]) -> None:
    """Wait for what a worker does in the background."""
    deadline = time.monotonic() + 120
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)
