"""What a claim adds to counters, and what they come to."""

from typing import Any

import pytest

from service.accounting.books.books import CounterBook
from service.accounting.books.rows import COUNTED
from service.accounting.books.scale import SCALE
from service.accounting.planning.tallies import (
    Held,
    counted_rows,
    counted_values,
    held_by_others,
    tallies_of,
)
from service.domain.claim import Claim
from service.domain.counters import CounterTable
from service.domain.reference import References
from tests.builders import references as shipped

THERAPY = {"procedures": ["97110..97140"]}


def counting(**counters: Any) -> References:
    """The shipped references with these counters."""
    table = CounterTable.model_validate({"counters": counters})
    return shipped().model_copy(update={"counters": table})


def claim(*lines: dict[str, Any], **header: Any) -> Claim:
    """A professional claim of these lines, each a unit of 97110 on a day."""
    usual = {"procedure": "97110", "from": "2026-03-10", "units": "1"}
    written = [{"line": at, **usual, **line} for at, line in enumerate(lines, start=1)]
    body = {
        "claim_id": "C1",
        "type": "professional",
        "member": {"id": "M1"},
        "rendering_provider": {"npi": "1234567893"},
    }
    return Claim.model_validate({**body, **header, "lines": written})


def values(of: Claim, counter: dict[str, Any], held: Held | None = None) -> list[Any]:
    """What one counter comes to, line by line."""
    references = counting(it={**THERAPY, **counter})
    found = counted_values(tallies_of(of, references), references, held or Held())
    return [found[line.line]["it"] for line in of.lines]


@pytest.mark.parametrize(
    ("lines", "counter", "expected"),
    [
        # Each day with one provider is a visit, whatever number of lines.
        ([{}, {"procedure": "97140"}, {"from": "2026-03-11"}], {"counts": "visits"}, [1, 1, 2]),
        ([{}, {"rendering_provider": {"npi": "1999999984"}}], {"counts": "visits"}, [1, 2]),
        ([{}, {"rendering_provider": {"npi": "1999999984"}}],
         {"counts": "visits", "each_provider": True}, [1, 1]),
        ([{}, {"rendering_provider": {"npi": "1999999984"}}], {"counts": "days"}, [1, 1]),
        ([{"to": "2026-03-12", "units": "3"}], {"counts": "days"}, [3]),
        ([{"to": "2026-03-12", "units": "2", "unit": "DA"}], {"counts": "days"}, [2]),
        ([{"from": "2025-01-01", "to": "2026-12-31"}], {"counts": "days"}, [1]),
        # Over the turn of a year each day counts in its own.
        ([{"from": "2025-12-30", "to": "2026-01-02"}, {}], {"counts": "days"}, [2, 3]),
        ([{"from": "2026-03-31"}, {"from": "2026-04-01"}],
         {"counts": "visits", "period": "month"}, [1, 1]),
        ([{"units": "4"}, {"units": "1.5"}, {"units": None}], {"counts": "units"}, [4, 5.5, 6.5]),
        ([{"charge": "99.50"}, {"charge": "0.50"}], {"counts": "amount"}, [99.5, 100]),
        # What is not known stays so for all that are counted after it.
        ([{"charge": "9"}, {}, {"charge": "9"}], {"counts": "amount"}, [9, None, None]),
        # A line that is not counted, or bills nothing.
        ([{"procedure": "99213"}, {}, {"units": "0"}], {"counts": "units"}, [0, 1, 0]),
        # Of a whole claim all lines count, whatever their order.
        ([{"units": "20"}, {"units": "12", "from": "2025-01-01"}],
         {"counts": "units", "period": "claim"}, [32, 32]),
        ([{"charge": "300"}, {"charge": "250", "procedure": "97140"}, {"procedure": "99213"}],
         {"counts": "amount", "period": "claim"}, [550, 550, 0]),
        ([{"charge": "300"}, {}], {"counts": "amount", "period": "claim"}, [None, None]),
    ],
)  # fmt: skip
def test_what_a_counter_comes_to(
    lines: list[dict[str, Any]], counter: dict[str, Any], expected: list[Any]
) -> None:
    """With the lines before it."""
    assert values(claim(*lines), counter) == expected


def test_a_provider_who_is_not_known_is_not_counted_as_nobody() -> None:
    """What a counter by provider comes to is not known then."""
    nameless = claim({}, rendering_provider=None)

    assert values(nameless, {"counts": "visits", "each_provider": True}) == [None]
    assert values(nameless, {"counts": "visits"}) == [1]


def test_without_counters_nothing_is_counted() -> None:
    """And nothing of a claim that asks for no payment."""
    assert tallies_of(claim({}), counting()) == {}
    references = counting(it={**THERAPY, "counts": "visits"})
    unpaid = claim({}, frequency="0")
    assert counted_rows(unpaid, tallies_of(unpaid, references), "book") == ()


def stored(rows: Any, *, times: int = 1) -> CounterBook:
    """The book that holds these rows so many times."""
    fields: dict[str, int] = {}
    tokens: dict[str, int] = {}
    for debit in (debit for row in rows for debit in row.debits):
        for field, number in (
            (f"{debit.account}.uu", debit.units),
            (f"{debit.account}.mr", debit.amount),
        ):
            fields[field] = fields.get(field, 0) + number * times
        for measure, items in (("u", debit.unit_tokens), ("d", debit.day_tokens)):
            for token in (f"{debit.account}|{measure}|{item}" for item in items):
                if token not in tokens:
                    field = f"{debit.account}.{measure}u"
                    fields[field] = fields.get(field, 0) + SCALE
                tokens[token] = tokens.get(token, 0) + times
    return CounterBook(
        sequence=1,
        fields={name: str(number) for name, number in fields.items()},
        tokens={name: f"{count}:0" for name, count in tokens.items()},
    )


LINES = ({"charge": "10", "units": "2"}, {"charge": "5", "from": "2026-03-11", "to": "2026-03-12"})


@pytest.mark.parametrize("counts", ["visits", "days", "units", "amount"])
@pytest.mark.parametrize("times", [1, 2])
def test_what_a_claim_was_counted_before_is_taken_off(counts: str, times: int) -> None:
    """A claim that is sent again counts once; what another holds too stays."""
    references = counting(it={**THERAPY, "counts": counts})
    sent = claim(*LINES)
    tallies = tallies_of(sent, references)
    rows = counted_rows(sent, tallies, "book")
    alone = counted_values(tallies, references, Held())
    book = stored(rows, times=times)

    held = held_by_others([book], rows)
    again = counted_values(tallies, references, held)

    assert {row.kind for row in rows} == {COUNTED}
    if times == 1:
        assert set(held.sums.values()) == {0}
        assert again == alone
    else:
        is_shared = counts in ("visits", "days")
        once = alone[2]["it"] or 0
        assert again[2]["it"] == (once if is_shared else 2 * once)


def test_what_a_book_says_of_itself_is_no_count() -> None:
    """A field without an account is no balance."""
    book = CounterBook(sequence=1, fields={"n": "7", ".n": "8", "it@2026-01-01.uu": "3"}, tokens={})

    assert held_by_others([book], ()).sums == {"it@2026-01-01": 3}


def test_one_person_under_two_ids_is_counted_once() -> None:
    """A visit that stands in both books is one."""
    references = counting(it={**THERAPY, "counts": "visits"})
    sent = claim({})
    rows = counted_rows(sent, tallies_of(sent, references), "book")

    held = held_by_others([stored(rows), stored(rows)], ())

    assert held.sums == {"it@2026-01-01": SCALE}
