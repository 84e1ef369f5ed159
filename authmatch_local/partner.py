"""A trading partner of our own on loopback: answers requests for authorization by its mood.

It reads messages by itself, with nothing of the service, so that both sides are not wrong together.
It knows a request by its trace number: one that comes twice gets the answer that it had.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import orjson

Decision = Literal["approved", "modified", "denied", "pended", "delay"]
Way = Literal["usual", "slow", "twice", "out-of-order", "garbage", "down", "silent"]

_ACTIONS = {"approved": "A1", "modified": "A6", "denied": "A3", "pended": "A4"}
_LOINC = "18842-5"
_PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-"
_X12 = "https://codesystem.x12.org/005010/"
_KEPT = frozenset({"HL", "NM1", "DMG", "UM", "SV1", "SV2", "SV3", "TOO", "PRV", "REF"})
_GARBAGE = b"<html><body>Bad gateway</body></html>"


@dataclass(eq=False)
class Partner:
    """What it decides, which way its answers go, and all that it received, by trace number."""

    decision: Decision = "approved"
    way: Way = "usual"
    slow_s: float = 1.0
    received: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    inquiries: int = 0
    decided: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    messages: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, message: bytes) -> bytes | None:
        """What it says to a message; None where it says nothing at all."""
        with self.lock:
            self.messages += 1
            read = _Fhir(message) if message[:1] == b"{" else _X12Message(message.decode())
            if read.is_inquiry:
                self.inquiries += 1
            else:
                self.received[read.trace].append(message)
            said = self._said(read)
        if self.way == "slow":
            time.sleep(self.slow_s)
        return {"garbage": _GARBAGE, "down": None, "silent": b""}.get(self.way, said)

    def _said(self, read: "_X12Message | _Fhir") -> bytes:
        if read.is_inquiry and read.trace not in self.received:
            return read.refusal("AA", self.messages)
        known = self.decided.get(read.trace)
        if known is None or known[0] == "A4":
            if self.decision == "delay":
                return read.refusal("42", self.messages)
            action = _ACTIONS[self.decision]
            if known is None or known[0] != action:
                known = action, datetime.now(UTC)
                self.decided[read.trace] = known
        action, at = known
        said = read.answer(action, at, 1)
        if self.way == "twice":
            return said if isinstance(read, _Fhir) else said * 2
        if self.way == "out-of-order" and isinstance(read, _X12Message):
            return said + read.answer("A4", at - timedelta(minutes=5), 2)
        return said

    def answer_files(self, folder: Path) -> int:
        """Answer what lies in ``out``, as a clearinghouse does; gives how many there were."""
        (folder / "in").mkdir(parents=True, exist_ok=True)
        files = sorted((folder / "out").glob("[!.]*"))
        for file in files:
            said = self.answer(file.read_bytes())
            file.unlink()
            if said:
                part = folder / "in" / f".{file.name}"
                part.write_bytes(said)
                part.replace(folder / "in" / file.name)
        return len(files)


class _X12Message:
    """A 278 by its segments, as its writer put them."""

    def __init__(self, text: str) -> None:
        self.segments = [each.strip().split("*") for each in text.split("~") if each.strip()]
        self._isa, self._gs = self.segments[0], self._first("GS")
        self.is_inquiry = self._first("BHT")[2] == "28"
        self.trace = self._first("TRN")[2]

    def _first(self, name: str) -> list[str]:
        return next(each for each in self.segments if each[0] == name)

    def answer(self, action: str, at: datetime, number: int) -> bytes:
        """A response with a decision of each service; a modified one grants half."""
        return self._written(list(self._body(action)), at, number)

    def _body(self, action: str) -> Iterator[list[str]]:
        is_cancelled = any(each[0] == "UM" and each[2] == "3" for each in self.segments)
        granted, seen = action in ("A1", "A6"), False
        for each in self.segments:
            name = each[0]
            seen = seen or name == "HL"
            if not seen or name in ("SE", "GE", "IEA"):
                continue
            if name == "TRN":
                yield ["TRN", "2", *each[2:]]
            elif name == "UM":
                yield each
                yield ["HCR", "C" if is_cancelled else action, self._number if granted else ""]
                if action == "A4":
                    yield ["REF", "NT", f"AR{self.trace[2:10]}"]
            elif name == "DTP" and each[1] in ("AAH", "472") and granted:
                yield ["DTP", "007", *each[2:]]
            elif name == "HI" and action == "A4":
                yield ["HI", f"LOI:{_LOINC}"]
            elif name in ("SV1", "SV2") and action == "A6":
                place = 4 if name == "SV1" else 5
                yield [*each[:place], f"{max(1, int(float(each[place])) // 2)}", *each[place + 1 :]]
            elif name in _KEPT or name == "HSD":
                yield each

    @property
    def _number(self) -> str:
        return f"PA{self.trace[2:10]}"

    def refusal(self, reason: str, number: int) -> bytes:
        """A refusal to look (AAA) at the event: the original is to be sent again, or corrected."""
        body = [each for each in self.segments if each[0] in ("HL", "NM1", "TRN")]
        last = next(place for place, each in enumerate(body) if each[0] == "TRN")
        follow_up = "P" if reason == "42" else "C"
        body = [*body[:last], ["TRN", "2", self.trace], ["AAA", "N", "", reason, follow_up]]
        return self._written(body, datetime.now(UTC), number)

    def _written(self, body: list[list[str]], at: datetime, number: int) -> bytes:
        isa = [*self._isa]
        isa[5:9] = [self._isa[7], self._isa[8], self._isa[5], self._isa[6]]
        isa[9], isa[10], isa[13] = f"{at:%y%m%d}", f"{at:%H%M}", f"{number:09d}"
        guide = self._gs[8]
        sets = [
            ["ST", "278", "0001", guide],
            ["BHT", "0007", "11", self.trace, f"{at:%Y%m%d}", f"{at:%H%M%S}", "18"],
            *body,
        ]
        gs = ["GS", "HI", self._gs[3], self._gs[2], f"{at:%Y%m%d}", f"{at:%H%M}", "1", "X", guide]
        segments = [isa, gs, *sets, ["SE", str(len(sets) + 1), "0001"], ["GE", "1", "1"]]
        segments.append(["IEA", "1", f"{number:09d}"])
        return "".join(f"{'*'.join(each)}~\n" for each in segments).encode()


class _Fhir:
    """A Bundle with a Claim."""

    def __init__(self, content: bytes) -> None:
        self.bundle: dict[str, Any] = orjson.loads(content)
        self.claim: dict[str, Any] = self.bundle["entry"][0]["resource"]
        self.is_inquiry = "inquiry" in self.claim["meta"]["profile"][0]
        self.trace: str = self.claim["identifier"][0]["value"]

    def answer(self, action: str, at: datetime, _: int) -> bytes:
        """A Bundle with the ClaimResponse first, and what was asked behind it."""
        granted = action in ("A1", "A6")
        items = [self._item(each, action, granted=granted) for each in self.claim["item"]]
        response = self._response(at) | {"outcome": "complete", "item": items}
        if granted:
            response["preAuthRef"] = f"PA{self.trace[2:10]}"
        more: list[dict[str, Any]] = []
        if action == "A4":
            reference = {"url": f"{_PAS}administrationReferenceNumber"}
            response["extension"] = [reference | {"valueString": f"AR{self.trace[2:10]}"}]
            asked = {"system": "http://loinc.org", "code": _LOINC}
            payload = [{"contentString": "plan", "extension": [_asks(asked)]}]
            more.append(
                {"resourceType": "CommunicationRequest", "status": "active", "payload": payload}
            )
        return self._bundled([response, *more], at)

    def refusal(self, reason: str, _: int) -> bytes:
        """A ClaimResponse with an error alone: nothing was decided."""
        error = {"code": {"coding": [{"system": f"{_X12}901", "code": reason}]}}
        at = datetime.now(UTC)
        return self._bundled([self._response(at) | {"outcome": "error", "error": [error]}], at)

    def _response(self, at: datetime) -> dict[str, Any]:
        same = {name: self.claim[name] for name in ("status", "type", "use", "patient", "insurer")}
        return {
            "resourceType": "ClaimResponse",
            **same,
            "created": at.isoformat(),
            "requestor": self.claim["provider"],
            "request": {"identifier": self.claim["identifier"][0]},
        }

    def _item(self, item: dict[str, Any], action: str, *, granted: bool) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [
            {"url": f"{_PAS}reviewActionCode", "valueCodeableConcept": _coded("306", action)}
        ]
        if granted:
            parts.append({"url": "number", "valueString": f"PA{self.trace[2:10]}"})
        review = {"url": f"{_PAS}reviewAction", "extension": parts}
        written: dict[str, Any] = {
            "itemSequence": item["sequence"],
            "adjudication": [{"extension": [review], "category": {"text": "submitted"}}],
        }
        if granted:
            days = {"url": f"{_PAS}itemPreAuthPeriod", "valuePeriod": item["servicedPeriod"]}
            written["extension"] = [days]
        return written

    def _bundled(self, resources: list[dict[str, Any]], at: datetime) -> bytes:
        entries = [
            {"fullUrl": f"urn:uuid:00000000-0000-0000-0000-{place:012d}", "resource": each}
            for place, each in enumerate(resources)
        ]
        bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": at.isoformat()}
        return orjson.dumps(bundle | {"entry": [*entries, *self.bundle["entry"]]})


def _coded(element: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{_X12}{element}", "code": code}]}


def _asks(coding: dict[str, str]) -> dict[str, Any]:
    return {"url": f"{_PAS}contentModifier", "valueCodeableConcept": {"coding": [coding]}}


@contextmanager
def serving(partner: Partner, port: int = 0) -> Iterator[str]:
    """Serve a partner on loopback while the block runs; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer a message, or close without a word."""
            message = self.rfile.read(int(self.headers["Content-Length"]))
            said = partner.answer(message)
            if said is None:
                self.close_connection = True
                return
            self.send_response(200 if said else 202)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing: what comes is health data."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
