"""What the claims of a case hold together, set against the accumulators."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from service.accounting.books.rows import COUNTED, HeldDebit
from service.accounting.books.scale import quantity_of
from service.application.parts import Stores
from tests.adjudication.desk import Desk

Balances = dict[tuple[str, str, str], dict[str, Decimal]]
"""By authorization, account and measure: what is used and what is reserved, if anything is."""

_MEASURES = {"units": "units", "amount": "amount", "service_days": "days"}


def check_holdings(desk: Desk) -> None:
    """Every accumulator is the sum of what the claims hold, and of what the ledger moved."""
    found = accumulated(desk)
    assert found == held(desk)
    for authorization_id in desk.authorizations:
        entries = desk.read(f"/authorizations/{authorization_id}/ledger")["entries"]
        moved: dict[str, Decimal] = defaultdict(Decimal)
        for movement in (each for entry in entries for each in entry["movements"]):
            for account in movement["accounts"]:
                moved[account["account"]] += Decimal(account["units"]["moved"])
        stand = {
            account: sum(balances.values())
            for (name, account, measure), balances in found.items()
            if (name, measure) == (authorization_id, "units")
        }
        assert {name: units for name, units in moved.items() if units} == stand


def accumulated(desk: Desk) -> Balances:
    """The accumulators of all authorizations of the case."""
    found: Balances = {}
    for authorization_id in desk.authorizations:
        for account in desk.accounts(authorization_id):
            for shown, measure in _MEASURES.items():
                states = {
                    state: Decimal(account[shown][state])
                    for state in ("used", "reserved")
                    if Decimal(account[shown][state])
                }
                if states:
                    found[authorization_id, account["account"], measure] = states
    return found


def held(desk: Desk) -> Balances:
    """The sum of what the claims hold; a shared visit, study or day counts once."""
    sums: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    tokens: dict[tuple[str, str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(authorization_id: str, state: str, debit: HeldDebit) -> None:
        key = authorization_id, debit.account
        sums[*key, "units"][state] += debit.units
        sums[*key, "amount"][state] += debit.amount
        tokens[*key, "units"][state] |= set(debit.unit_tokens)
        tokens[*key, "days"][state] |= set(debit.day_tokens)

    async def read(stores: Stores) -> None:
        for claim_id in desk.claims:
            claim = await stores.accumulators.read_claim(desk.payer, claim_id)
            if claim.is_held:
                for row in claim.rows:
                    for debit in row.debits if row.kind != COUNTED else ():
                        add(row.authorization_id, claim.status, debit)

    desk.ground.run(read)
    found: Any = {}
    for key in (*sums, *tokens):
        used, reserved = tokens[key]["used"], tokens[key]["reserved"]
        states = {
            "used": quantity_of(sums[key]["used"]) + len(used),
            "reserved": quantity_of(sums[key]["reserved"]) + len(reserved - used),
        }
        found[key] = {state: quantity for state, quantity in states.items() if quantity}
    return {key: states for key, states in found.items() if states}
