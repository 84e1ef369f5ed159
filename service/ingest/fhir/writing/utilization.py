"""How much of an authorization is used, as PDex shows it: units of each item and of the whole."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from service.domain.authorization import Limits
from service.ingest.fhir.base.vocabulary import (
    PDEX,
    UNKNOWN,
    Json,
    concept,
    money,
    number,
    quantity,
)

_ADJUDICATION = f"{PDEX}CodeSystem/PDexAdjudicationDiscriminator"
_AMOUNTS = f"{PDEX}CodeSystem/PriorAuthorizationValueCodes"
_UTILIZATION = f"{PDEX}StructureDefinition/PriorAuthorizationUtilization"

Account = Mapping[str, Any]


def of_line(statement: Sequence[Account], line: int) -> list[Json]:
    """Write the units of a line that were granted and those that were used, as adjudications."""
    accounts = _accounts(statement, line)
    if not accounts:
        return []
    written = [_units("consumedunits", _used(accounts, "units"))]
    limit = accounts[0]["units"]["limit"]
    if limit is not None:
        written.insert(0, _units("allowedunits", Decimal(limit)))
    return written


def eligible(limits: Limits | None) -> list[Json]:
    """Write the money and the units that were granted for all lines together."""
    if limits is None or (limits.amount is None and limits.units is None):
        return []
    amount: Json = {"extension": UNKNOWN}
    if limits.amount is not None:
        amount = money(limits.amount, limits.currency)
    total: Json = {"category": concept(_AMOUNTS, "eligible"), "amount": amount}
    if limits.units is not None:
        units = quantity(limits.units, limits.unit)
        total["extension"] = [{"url": _UTILIZATION, "valueQuantity": units}]
    return [total]


def totals(statement: Sequence[Account], lines: Sequence[int], currency: str) -> list[Json]:
    """Write what was used of the whole: money, and units where they are of one kind."""
    accounts = _accounts(statement, None)
    spread = [_accounts(statement, line) for line in lines]
    if not accounts:
        accounts = [each for line in spread for each in line]
    if not accounts:
        return []
    units = {each["unit"] for each in accounts if each["unit"]}
    units = units or {each["unit"] for line in spread for each in line}
    total: Json = {
        "category": concept(_AMOUNTS, "utilized"),
        "amount": money(_used(accounts, "amount"), currency),
    }
    if len(units) == 1:
        used = quantity(_used(accounts, "units"), next(iter(units)))
        total["extension"] = [{"url": _UTILIZATION, "valueQuantity": used}]
    return [total]


def _accounts(statement: Sequence[Account], line: int | None) -> list[Account]:
    """Give the account of the total, else those of all renewal periods; rates add nothing."""
    own = [each for each in statement if each["line"] == line]
    total = [each for each in own if each["boundary"] == "total"]
    return total or [each for each in own if each["boundary"] == "renewal"]


def _used(accounts: Sequence[Account], measure: str) -> Decimal:
    return sum((Decimal(each[measure]["used"]) for each in accounts), Decimal(0))


def _units(category: str, count: Decimal) -> Json:
    return {"category": concept(_ADJUDICATION, category), "value": number(count)}
