"""Replays the ledger of a payer into what Redis must hold: the accumulators, from nothing.

The balances are our own sums of what was drawn and given back. An entry also says which balances it
found and left, and how often an authorization had changed: that is never copied but compared.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import orjson

from service.accounting.books.claim_state import BILLED, NEVER
from service.accounting.replay._holdings import STATES
from service.accounting.replay.ledger_page import (
    Difference,
    Hash,
    Json,
    Mine,
    Move,
    Page,
    read_moves,
)

FIRST_ID = "0-0"
"""Before every entry."""


def entry_order(entry_id: str) -> tuple[int, int]:
    """The milliseconds of an id, and the number within them."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)


def _everything(_: str) -> bool:
    return True


class Replayed:
    """The hashes of a book by the id of what they are about, and what the ledger got wrong.

    ``waiting`` names by member the claims that wait for an authorization, ``held`` by claim its
    status and its rows; ``last`` is the last entry, ``count`` how many were mainly about what is
    here. A part of a book is replayed from the entries that are about it: ``mine`` tells which
    claims and authorizations are in it, ``my_members`` whose waiting claims. Of other claims only
    rows are kept that hold something of an authorization that is in it.
    """

    def __init__(self, mine: Mine = _everything, my_members: Mine = _everything) -> None:
        """Begin before the first entry."""
        self.mine = mine
        self.accounts: dict[str, Hash] = {}
        self.tokens: dict[str, Hash] = {}
        self.claims: dict[str, Hash] = {}
        self.waiting: dict[str, Hash] = {}
        self.held: dict[str, tuple[str, list[Json]]] = {}
        self.last = FIRST_ID
        self.count = 0
        self.differences: list[Difference] = []
        self._my_members = my_members

    def take(self, entry_id: str, fields: Mapping[str, str]) -> None:
        """Replay the next entry; raises ValueError for one that is not after the last."""
        if entry_order(entry_id) <= entry_order(self.last):
            raise ValueError(f"the ledger entry {entry_id} does not follow {self.last}")
        is_recount = "cs" in fields
        page = Page(self.accounts, self.tokens, entry_id, self.mine, is_recount=is_recount)
        if is_recount:
            self._recount(page, fields)
        elif "cr" in fields:
            self._correct(page, fields)
        elif "c" not in fields:
            self._amend(page, fields)
        elif "fp" in fields:
            self._draw(page, fields)
        else:
            self._change(page, fields)
        self.differences += page.differences
        self.last = entry_id
        self.count += self.mine(fields["c"] if "c" in fields else fields["a"])

    def _amend(self, page: Page, fields: Mapping[str, str]) -> None:
        """Take the limits of a pushed version: fields of the accounts, as they are stored."""
        name = fields["a"]
        if not self.mine(name):
            return
        stored = self.accounts.setdefault(name, {})
        number = str(int(stored.get("n", "0")) + 1)
        stored.update(dict(orjson.loads(fields["set"])))
        for field in orjson.loads(fields["del"]):
            stored.pop(field, None)
        page.compare(f"authorization {name}", "n", number, stored.get("n"))
        stored["n"] = number
        page.compare_sequence({name: number}, fields["q"])

    def _correct(self, page: Page, fields: Mapping[str, str]) -> None:
        """Add by hand to what is used of an account, and keep that it was done."""
        name = fields["a"]
        for amended in orjson.loads(fields["am"]):
            page.amend(amended)
        (moved,) = read_moves(fields["r"])
        page.correct(name, fields["cr"], moved)
        page.close(fields["q"])
        if self.mine(name):
            self.accounts[name][f"c:{fields['cf']}"] = fields["ch"]

    def _draw(self, page: Page, fields: Mapping[str, str]) -> None:
        """Give back what claim, original and charges had, and draw the claim anew."""
        claim_id, original_id, version = fields["c"], fields["oc"], fields["v"]
        for amended in orjson.loads(fields["am"]):
            page.amend(amended)
        self._give_back(page, claim_id, read_moves(fields["u"]))
        self._give_back(page, original_id, read_moves(fields["o"]))
        charges = orjson.loads(fields.get("cb") or "[]")
        unattached = iter(read_moves(fields.get("cg") or "[]"))
        for name, _, _, count in charges:
            self._give_back(page, name, list(islice(unattached, int(count))))
        drawn = read_moves(fields["r"])
        page.post(drawn, STATES.get(fields["s"]), 1)
        page.close(fields["q"])
        self._own(claim_id, fields["m"])
        self._hold(page, claim_id, fields, drawn)
        if self.mine(claim_id):
            self.claims[claim_id] |= {
                "id": claim_id,
                "v": version,
                f"fp:{version}": fields["fp"],
                f"e:{version}": page.entry_id,
            }
        self._wait(fields["m"], claim_id, waits=fields.get("wt") == "1")
        if original_id:
            self._wait(fields["om"], original_id, waits=False)
            replaced = {"n": fields["on"], "m": fields["om"], "s": fields["os"]}
            self._hold(page, original_id, replaced, [])
            if self.mine(original_id):
                self.claims[original_id]["by"] = claim_id
        for name, number, billed_by, _ in charges:
            owner = self.claims.get(name, {}).get("m", fields["m"])
            self._hold(page, name, {"n": number, "m": owner, "s": BILLED}, [])
            if self.mine(name):
                billed = {"id": name, "bb": billed_by}
                self.claims[name] = {"v": "0", **self.claims[name], **billed}

    def _own(self, claim_id: str, owner: str) -> None:
        """Let a charge that claims of another member only named be that of whom it is for."""
        known = self.claims.get(claim_id, {})
        if known.get("v") == "0" and known["m"] != owner:
            known["m"] = owner
            del known["bb"]

    def _change(self, page: Page, fields: Mapping[str, str]) -> None:
        """Make a claim hold other rows, no more than it does."""
        claim_id = fields["c"]
        self._give_back(page, claim_id, read_moves(fields["u"]))
        held = read_moves(fields["r"])
        page.post(held, STATES.get(fields["s"]), 1)
        page.close(fields["q"])
        self._hold(page, claim_id, fields, held)
        if fields["s"] not in STATES:
            self._wait(fields["m"], claim_id, waits=False)
        if self.mine(claim_id):
            version = self.claims[claim_id].get("v")
            page.compare(f"claim {claim_id}", "v", version, fields["v"])

    def _recount(self, page: Page, fields: Mapping[str, str]) -> None:
        """Have claims hold what they do as another version counts it."""
        for amended in orjson.loads(fields["am"]):
            page.amend(amended)
        for name, account, *deltas in orjson.loads(fields.get("cd") or "[]"):
            page.move_correction(name, account, deltas)
        undone, redone = iter(read_moves(fields["u"])), iter(read_moves(fields["r"]))
        claims = orjson.loads(fields["cs"])
        for claim_id, _, _, _, count, _ in claims:
            self._give_back(page, claim_id, list(islice(undone, int(count))))
        held = {each[0]: list(islice(redone, int(each[5]))) for each in claims}
        for claim_id, _, _, status, _, _ in claims:
            page.post(held[claim_id], STATES.get(status), 1)
        page.close(fields["q"])
        for claim_id, number, owner, status, _, _ in claims:
            said = {"n": number, "m": owner, "s": status}
            self._hold(page, claim_id, said, held[claim_id])

    def _wait(self, owner: str, claim_id: str, *, waits: bool) -> None:
        """Keep a claim among those of its member that wait, or no more; all have the score 0."""
        if not self._my_members(owner):
            return
        claims = self.waiting.setdefault(owner, {})
        if waits:
            claims[claim_id] = "0"
        else:
            claims.pop(claim_id, None)
        if not claims:
            del self.waiting[owner]

    def _give_back(self, page: Page, claim_id: str, undone: list[Move]) -> None:
        """Take rows off, which must be those that the claim held."""
        status, held = self.held.get(claim_id, (NEVER, []))
        found = [move.row for move in self._kept(claim_id, undone)]
        page.compare(f"claim {claim_id}", "mv", held, found)
        page.post(undone, STATES.get(status), -1)

    def _kept(self, claim_id: str, moves: Iterable[Move]) -> list[Move]:
        """Of the rows of a claim those of which something is kept here."""
        is_mine = self.mine(claim_id)
        return [move for move in moves if is_mine or self.mine(move.row["a"])]

    def _hold(
        self, page: Page, claim_id: str, fields: Mapping[str, str], moves: Iterable[Move]
    ) -> None:
        """Let a claim have these rows, as the status of the entry says."""
        rows = self._kept(claim_id, moves)
        if rows and fields["s"] in STATES:
            self.held[claim_id] = fields["s"], [move.row for move in rows]
        else:
            self.held.pop(claim_id, None)
        if not self.mine(claim_id):
            return
        claim: dict[str, Any] = self.claims.setdefault(claim_id, {"m": fields["m"]})
        number = str(int(claim.get("n", "0")) + 1)
        page.compare(f"claim {claim_id}", "n", number, fields["n"])
        page.compare(f"claim {claim_id}", "m", claim["m"], fields["m"])
        text = ",".join(move.row_text for move in rows)
        claim |= {"n": number, "s": fields["s"], "mv": f"[{text}]"}
