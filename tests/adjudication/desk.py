"""A desk: does the steps of a case over HTTP, and sees that every answer balances."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from tests.adjudication.telling import Answer
from tests.api.bodies import authorization_body, claim_body
from tests.ground import Ground

Fields = dict[str, Any]

OF_EXAMINER = ("stage", "selections", "override", "by", "reason")
SWITCHES = ("dry_run", "readjudicate")


@dataclass
class Desk:
    """One payer's desk; ``call`` gives a client of the service with these rules."""

    ground: Ground
    payer: str
    call: Callable[[str], httpx.Client]
    claims: dict[str, None] = field(default_factory=dict)
    authorizations: dict[str, None] = field(default_factory=dict)
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    def client(self, rules: str = "shipped") -> httpx.Client:
        """The client of the service with these rules."""
        if rules not in self.clients:
            self.clients[rules] = self.call(rules)
        return self.clients[rules]

    def push(self, query: str = "professional", **changes: Any) -> httpx.Response:
        """Push a version of an authorization; those of a case are distinct under one number."""
        body = authorization_body(query, **{"distinct": True, **changes})
        name = body["authorization_id"]
        self.authorizations[name] = None
        return self.client().put(f"/authorizations/{name}", json=body)

    def withdraw(self, authorization_id: str, version: int) -> httpx.Response:
        """Withdraw an authorization."""
        return self.client().delete(
            f"/authorizations/{authorization_id}", params={"version": version}
        )

    def adjudicate(
        self, query: str = "professional", *, rules: str = "shipped", **claim: Any
    ) -> httpx.Response:
        """Adjudicate a claim; every line that is answered must balance.

        ``as_sent`` is put into the first line as it is, right or wrong.
        """
        switches = {name: claim.pop(name) for name in SWITCHES if name in claim}
        decided = {name: claim.pop(name) for name in OF_EXAMINER if name in claim}
        as_sent = claim.pop("as_sent", {})
        body = claim_body(query, **claim) | decided
        body["lines"][0] |= as_sent
        self.claims[body["claim_id"]] = None
        answer = self.client(rules).post("/adjudicate", params=switches, json=body)
        if answer.status_code == httpx.codes.OK:
            check_balance(answer.json()["lines"])
        return answer

    def at_once(self, claims: Iterable[Fields]) -> list[httpx.Response]:
        """Adjudicate claims at the same time, each under its ``query``."""
        asked = list(claims)
        self.client()
        with ThreadPoolExecutor(len(asked)) as pool:
            return list(pool.map(lambda each: self.adjudicate(**each), asked))

    def change(self, step: str, claim_id: str, **content: Any) -> httpx.Response:
        """Take a step of a claim's life: finalize, release, reverse, adjust, benefit-limits."""
        return self.client().post(f"/claims/{claim_id}/{step}", json=content)

    def read(self, address: str, **parameters: Any) -> Any:
        """Read something that must be there."""
        answer = self.client().get(address, params=parameters)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def accounts(self, authorization_id: str) -> list[Answer]:
        """The boundaries of an authorization, as they stand now."""
        found: list[Answer] = self.read(f"/authorizations/{authorization_id}/accumulators")[
            "accounts"
        ]
        return found


def check_balance(lines: Iterable[Answer]) -> None:
    """Approved, denied and suspended are what was billed, by units and by amount.

    What is denied is adjusted, and what is approved was drawn once for each kind that was drawn.
    """
    for line in lines:
        for measure in ("units", "amount"):
            parts = [Decimal(line[name][measure]) for name in ("approved", "denied", "suspended")]
            assert min(parts) >= 0
            assert sum(parts) == Decimal(line["billed"][measure]), (line["line"], measure)
            denied = sum(Decimal(each[measure]) for each in line["adjustments"])
            assert denied == parts[1], (line["line"], measure)
            for kind in {each["type"] for each in line["adjudicated_authorizations"]}:
                drawn = [
                    Decimal(each[measure])
                    for each in line["adjudicated_authorizations"]
                    if each["type"] == kind
                ]
                assert sum(drawn) == parts[0], (line["line"], measure, kind)
