"""Replays the ledger of one bucket into what Redis must hold: the accumulators, from nothing.

The balances are our own sums of what was drawn and given back. An entry also says which balances it
found and left, and how often an authorization had changed: that is never copied but compared.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from service.accounting.books.claim_state import NEVER
from service.accounting.replay.carried import MOVED, take_in
from service.accounting.replay.holdings import STATES
from service.accounting.replay.ledger_page import Difference, Hash, Move, Page, read_moves
from service.accounting.replay.owed import owed, read_owed

Entry = tuple[str, Mapping[str, str]]
"""Its id, and its fields as the stream has them."""

FIRST_ID = "0-0"
"""Before every entry."""


def entry_order(entry_id: str) -> tuple[int, int]:
    """Give the milliseconds of an id, and the number within them."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)


class Replayed:
    """The hashes of a bucket by the id of what they are about, and what the ledger got wrong.

    ``owners`` says by claim under which member it is kept, ``waiting`` names by member the claims
    that wait for an authorization; ``last`` is the last entry, ``count`` how many there were.
    """

    def __init__(self) -> None:
        """Begin before the first entry."""
        self.accounts: dict[str, Hash] = {}
        self.tokens: dict[str, Hash] = {}
        self.claims: dict[str, Hash] = {}
        self.owners: dict[str, str] = {}
        self.waiting: dict[str, Hash] = {}
        self.last = FIRST_ID
        self.count = 0
        self.differences: list[Difference] = []

    def take(self, entry_id: str, fields: Mapping[str, str]) -> None:
        """Replay the next entry; raises ValueError for one that is not after the last."""
        if entry_order(entry_id) <= entry_order(self.last):
            raise ValueError(f"the ledger entry {entry_id} does not follow {self.last}")
        page = Page(self.accounts, self.tokens, entry_id)
        self._step(fields)(page, fields)
        self.differences += page.differences
        self.last = entry_id
        self.count += 1

    def _step(self, fields: Mapping[str, str]) -> Callable[[Page, Mapping[str, str]], None]:
        """Tell by its kind, or by its fields, what an entry did."""
        steps = {
            "leave": self._leave,
            "arrive": self._arrive,
            "give_back": self._give_back_here,
            "confirm": self._confirm,
            "depart": self._depart,
            "enter": self._enter,
        }
        step = steps.get(fields.get("k", ""))
        if step is not None:
            return step
        if "c" not in fields:
            return self._amend
        return self._draw if "fp" in fields else self._change

    def _amend(self, page: Page, fields: Mapping[str, str]) -> None:
        """Take the limits of a pushed version: fields of the accounts, as they are stored."""
        name = fields["a"]
        stored = self.accounts.setdefault(name, {})
        number = str(int(stored.get("n", "0")) + 1)
        stored.update(dict(orjson.loads(fields["set"])))
        for field in orjson.loads(fields["del"]):
            stored.pop(field, None)
        page.compare(f"authorization {name}", "n", number, stored.get("n"))
        stored["n"] = number
        page.compare_sequence({name: number}, fields["q"])

    def _draw(self, page: Page, fields: Mapping[str, str]) -> None:
        """Give back what the claim and its original had, and draw the claim anew."""
        claim_id, original_id, version = fields["c"], fields["oc"], fields["v"]
        for each in orjson.loads(fields["am"]):
            page.amend(each["a"], each["v"], orjson.loads(each["b"]))
        undone, given_back = read_moves(fields["u"]), read_moves(fields["o"])
        was = self._give_back(page, claim_id, undone)
        original_was = self._give_back(page, original_id, given_back)
        drawn = read_moves(fields["r"])
        page.post(drawn, STATES.get(fields["s"]), 1)
        page.close(fields["q"])
        self._write_claim(page, fields, drawn)
        self.claims[claim_id] |= {
            "id": claim_id,
            "v": version,
            f"fp:{version}": fields["fp"],
            f"e:{version}": page.entry_id,
        }
        self._wait(fields["m"], claim_id, waits=fields.get("wt") == "1")
        if original_id:
            self._wait(fields["m"], original_id, waits=False)
            original = self.claims.setdefault(original_id, {})
            original |= {"n": _next(original), "s": fields["os"], "mv": "[]", "by": claim_id}
            self._owe(page, original_id, (original_was, given_back, []), fields.get("oow"))
        self._owe(page, claim_id, (was, undone, drawn), fields.get("ow"))

    def _change(self, page: Page, fields: Mapping[str, str]) -> None:
        """Make a claim hold other rows, no more than it does."""
        undone = read_moves(fields["u"])
        was = self._give_back(page, fields["c"], undone)
        held = read_moves(fields["r"])
        page.post(held, STATES.get(fields["s"]), 1)
        page.close(fields["q"])
        self._write_claim(page, fields, held)
        if fields["s"] not in STATES:
            self._wait(fields["m"], fields["c"], waits=False)
        version = self.claims[fields["c"]].get("v")
        page.compare(f"claim {fields['c']}", "v", version, fields["v"])
        self._owe(page, fields["c"], (was, undone, held), fields.get("ow"))

    def _wait(self, owner: str, claim_id: str, *, waits: bool) -> None:
        """Keep a claim among those of its member that wait, or no more; all have the score 0."""
        claims = self.waiting.setdefault(owner, {})
        if waits:
            claims[claim_id] = "0"
        else:
            claims.pop(claim_id, None)
        if not claims:
            del self.waiting[owner]

    def _give_back(self, page: Page, claim_id: str, undone: list[Move]) -> str:
        """Take rows off, which must be those that the claim held; gives what it was."""
        claim = self.claims.get(claim_id, {})
        status = claim.get("s", NEVER)
        state = STATES.get(status)
        held = [] if state is None else orjson.loads(claim["mv"])
        page.compare(f"claim {claim_id}", "mv", held, [each.row for each in undone])
        page.post(undone, state, -1)
        return status

    def _owe(
        self,
        page: Page,
        claim_id: str,
        step: tuple[str, Iterable[Move], Iterable[Move]],
        written: str | None,
    ) -> None:
        """Keep what the claim owes to authorizations that went away; it must be what it had."""
        was, undone, held = step
        claim = self.claims[claim_id]
        before, after = ([each.row for each in rows] for rows in (undone, held))
        expected = owed(self.accounts, (was, before), (claim["s"], after))
        page.compare(f"claim {claim_id}", "owed", expected, read_owed(written))
        if written is not None:
            claim[f"ow:{claim['n']}"] = written

    def _give_back_here(self, page: Page, fields: Mapping[str, str]) -> None:
        """Change what a claim of another bucket holds of an authorization that came here."""
        page.post(read_moves(fields["u"]), STATES.get(fields["was"]), -1)
        page.post(read_moves(fields["r"]), STATES.get(fields["s"]), 1)
        page.mark(fields["a"], f"back:{fields['c']}", fields["n"])
        page.close(fields["q"])

    def _confirm(self, page: Page, fields: Mapping[str, str]) -> None:
        """Drop what a claim owed, which was changed in other buckets."""
        claim, name = self.claims.setdefault(fields["c"], {}), f"ow:{fields['n']}"
        page.compare(f"claim {fields['c']}", name, True, claim.pop(name, None) is not None)
        claim |= {f"el:{each}": "1" for each in orjson.loads(fields["el"])}

    def _depart(self, page: Page, fields: Mapping[str, str]) -> None:
        """Close a claim that goes to the bucket of the member into whom its own was merged."""
        claim_id = fields["c"]
        claim = self.claims.setdefault(claim_id, {})
        had = dict(orjson.loads(fields["f"]))
        waited = had.pop("wt", None) is not None
        page.compare(f"claim {claim_id}", "fields", dict(claim), had)
        waits = claim_id in self.waiting.get(fields["m"], {})
        page.compare(f"claim {claim_id}", "waits", waits, waited)
        self._wait(fields["m"], claim_id, waits=False)
        self.claims[claim_id] = claim | {
            "id": claim_id,
            "n": _next(claim),
            "v": fields["v"],
            "s": fields["s"],
            "mv": "[]",
            "to": fields["to"],
            "gone": fields["f"],
        }
        self.owners.setdefault(claim_id, fields["m"])

    def _enter(self, page: Page, fields: Mapping[str, str]) -> None:
        """Open a claim as it was in the bucket from which it came."""
        claim_id = fields["c"]
        page.compare(f"claim {claim_id}", "fields", {}, self.claims.get(claim_id, {}))
        has = dict(orjson.loads(fields["f"]))
        self._wait(fields["m"], claim_id, waits=has.pop("wt", None) is not None)
        self.claims[claim_id] = has
        self.owners[claim_id] = fields["m"]

    def owners_here(self) -> dict[str, str]:
        """Say under which member Redis has each claim that did not go to another bucket."""
        return {each: owner for each, owner in self.owners.items() if "to" not in self.claims[each]}

    def _leave(self, page: Page, fields: Mapping[str, str]) -> None:
        """Freeze the accounts of an authorization that goes to another member."""
        name = fields["a"]
        stored = self.accounts.setdefault(name, {"id": name})
        grain = stored.setdefault("g", fields["g"])
        page.compare(f"authorization {name}", "g", grain, fields["g"])
        stored |= {"v": fields["v"], "st": MOVED, "to": fields["to"]} | _moves(fields)
        self._count(page, name, fields["q"])

    def _arrive(self, page: Page, fields: Mapping[str, str]) -> None:
        """Take in what left other buckets."""
        name = fields["a"]
        own, tokens = self.accounts.get(name, {}), self.tokens.pop(name, {})
        made, held = take_in(own, tokens, orjson.loads(fields["in"]))
        number = own.get("n", "0")
        self.accounts[name] = made | {"id": name, "n": number, "v": fields["v"], "st": "open"}
        self.accounts[name] |= _moves(fields)
        if held:
            self.tokens[name] = held
        self._count(page, name, fields["q"])

    def _count(self, page: Page, name: str, sequence: str) -> None:
        """Count a change of the accounts of one authorization."""
        stored = self.accounts[name]
        stored["n"] = _next(stored)
        page.compare_sequence({name: stored["n"]}, sequence)

    def _write_claim(self, page: Page, fields: Mapping[str, str], held: Iterable[Move]) -> None:
        claim_id = fields["c"]
        claim = self.claims.setdefault(claim_id, {})
        rows = ",".join(each.row_text for each in held)
        claim |= {"n": _next(claim), "s": fields["s"], "mv": f"[{rows}]"}
        owner = self.owners.setdefault(claim_id, fields["m"])
        page.compare(f"claim {claim_id}", "owner", owner, fields["m"])


def _moves(fields: Mapping[str, str]) -> Hash:
    """Give how often an authorization went with a member that was merged, if it did."""
    return {"mo": fields["mo"]} if fields.get("mo") else {}


def _next(claim: Mapping[str, Any]) -> str:
    return str(int(claim.get("n", "0")) + 1)


def replay(entries: Iterable[Entry]) -> Replayed:
    """Replay all entries of one bucket, oldest first."""
    replayed = Replayed()
    for entry_id, fields in entries:
        replayed.take(entry_id, fields)
    return replayed
