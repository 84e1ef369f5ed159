"""A row is counted anew on the days on which its own units fell."""

from dataclasses import replace

from service.accounting.books.scale import SCALE
from tests.accounting.test_recount import (
    APRIL,
    MARCH,
    PT,
    RENEWAL,
    claim,
    counted,
    drawn,
    on,
    units,
    use,
    version,
)


def test_a_row_of_the_second_day_is_counted_in_its_month() -> None:
    """The first day was drawn elsewhere."""
    before, after = version(PT | units("10")), version(PT | units("10", renewal=RENEWAL))
    holder = drawn(before, claim(on("2026-03-31", "2", "2026-04-01")), 1)
    second = replace(holder.rows[0], start=SCALE, units=SCALE)

    found = counted(before, after, replace(holder, rows=(second,)))
    assert use(found) == {"L1@2026-04-01": 1.0}


def test_a_split_by_days_leaves_out_days_of_which_nothing_was_drawn() -> None:
    """One of three units was granted: that of the first day."""
    before, after = version(PT | units("10")), version(PT | MARCH, PT | APRIL)
    holder = drawn(before, claim(on("2026-03-31", "3", "2026-04-02")), 1)
    ((row,),) = (holder.rows,)
    debits = tuple(replace(each, units=SCALE) for each in row.debits)
    first = replace(row, units=SCALE, debits=debits)

    found = counted(before, after, replace(holder, rows=(first,)))
    assert use(found) == {"L1": 1.0}
