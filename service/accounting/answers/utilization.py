"""Utilization over time: how the units of an authorization went, step by step."""

from collections.abc import Iterable
from typing import Any, Literal

from service.accounting.answers.used import account_name
from service.accounting.books.books import Moved
from service.accounting.books.scale import written, written_amount

Answer = dict[str, Any]
Step = Literal["day", "month"]
_LENGTH: dict[Step, int] = {"day": 10, "month": 7}


def utilization(
    moved: Iterable[tuple[str, Moved]], authorization_id: str, *, by: Step
) -> list[Answer]:
    """Sum up the movements of an authorization, oldest first, by account and step of time.

    ``committed`` is what was used or reserved when the step ended.
    """
    steps: dict[str, dict[str, dict[str, int]]] = {}
    for at, one in moved:
        rows = (*one.undone, *one.given_back, *one.drawn)
        for row in rows:
            if row.authorization_id != authorization_id:
                continue
            for each in row.movements:
                step = steps.setdefault(each.account, {}).setdefault(
                    at[: _LENGTH[by]], {"units": 0, "amount": 0, "units_after": 0}
                )
                after = each.after["units"]
                step["units"] += each.units
                step["amount"] += each.amount
                step["units_after"] = after.used + after.reserved
    return [
        {
            **account_name(account),
            "steps": [
                {
                    "period": period,
                    "units": _signed(step["units"]),
                    "amount": ("-" if step["amount"] < 0 else "")
                    + (written_amount(abs(step["amount"])) or "0"),
                    "committed": written(step["units_after"]),
                }
                for period, step in periods.items()
            ],
        }
        for account, periods in sorted(steps.items())
    ]


def _signed(number: int) -> str:
    text = written(abs(number)) or "0"
    return f"-{text}" if number < 0 else text
