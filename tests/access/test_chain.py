"""What shows that a row of an audit trail was touched: rows as they are, without engines."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from service.access.chain import (
    START,
    Check,
    Head,
    Row,
    link_of,
    read_head,
    sign,
    write_head,
    write_row,
)

KEY, PAYER = b"a key that no engine has", "P1"
ROWS = 24


def trail(
    count: int = ROWS, *, payer: str = PAYER, workers: int = 2, key: bytes = KEY
) -> list[Row]:
    """A trail that some workers wrote in turns, each of which has seen what it wrote last."""
    rows: list[Row] = []
    seen = [START] * workers
    head = START
    for number in range(1, count + 1):
        worker = number % workers
        content = {
            "payer": payer,
            "what": "POST /match",
            "claims": [f"C{number}"],
            "seen": [seen[worker].number, seen[worker].link],
        }
        signature = sign(key, write_row(content))
        head = Head(number, link_of(head.link, signature))
        rows.append(Row(head=head, signature=signature, content=content))
        seen[worker] = head
    return rows


def problems(rows: Sequence[Row], head: Head, after: Head = START) -> list[str]:
    """What the check says of rows whose end is known elsewhere."""
    check = Check(KEY, PAYER, after)
    found = [problem for row in rows for problem in check.follow(row)]
    if check.head.number != head.number:
        found.append("the end is another one")
    return [*found, *check.names(head, "elsewhere")]


def linked(rows: Sequence[Row]) -> list[Row]:
    """Rows with numbers and links made anew, as somebody may who can write to an engine."""
    made, before = [], START
    for number, row in enumerate(rows, start=1):
        before = Head(number, link_of(before.link, row.signature))
        made.append(replace(row, head=before))
    return made


Tamper = Callable[[list[Row], random.Random], list[Row]]


def changed(rows: list[Row], chance: random.Random) -> list[Row]:
    """Another content under the signature that was there."""
    place = chance.randrange(len(rows))
    row = rows[place]
    name = chance.choice(["what", "claims", "payer", "seen"])
    rows[place] = replace(row, content={**row.content, name: f"another {chance.random()}"})
    return rows


def dropped(rows: list[Row], chance: random.Random) -> list[Row]:
    """One row less."""
    del rows[chance.randrange(len(rows))]
    return rows


def inserted(rows: list[Row], chance: random.Random) -> list[Row]:
    """A row that was there, once more, somewhere; or one that nobody signed."""
    row = chance.choice(rows)
    if chance.random() < 0.5:
        row = replace(row, signature=sign(b"a guess", write_row(row.content)))
    rows.insert(chance.randrange(len(rows) + 1), row)
    return rows


def reordered(rows: list[Row], chance: random.Random) -> list[Row]:
    """Two rows in each other's place."""
    first, second = chance.sample(range(len(rows)), 2)
    rows[first], rows[second] = rows[second], rows[first]
    return rows


def truncated(rows: list[Row], chance: random.Random) -> list[Row]:
    """Rows cut off at the end."""
    return rows[: chance.randrange(len(rows))]


def swapped(rows: list[Row], chance: random.Random) -> list[Row]:
    """A row of another payer, well signed for him, in the place of one."""
    place = chance.randrange(len(rows))
    rows[place] = replace(trail(payer="P2")[place], head=rows[place].head)
    return rows


TAMPERS = (changed, dropped, inserted, reordered, truncated, swapped)


@pytest.mark.parametrize("is_linked", [False, True], ids=["as it is", "linked anew"])
@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda each: each.__name__)
def test_a_thousand_tampers_are_found(tamper: Tamper, is_linked: bool) -> None:
    """Also where numbers and links were made anew behind it: the end stands elsewhere, too."""
    whole = trail()
    for seed in range(1 + 1000 // (2 * len(TAMPERS))):
        rows = tamper(list(whole), random.Random(seed))
        given = linked(rows) if is_linked else rows
        if list(given) != whole:
            assert problems(given, whole[-1].head), (tamper.__name__, seed)


@pytest.mark.parametrize(
    "tamper", [dropped, inserted, reordered, swapped], ids=lambda e: e.__name__
)
def test_whoever_writes_all_links_and_both_ends_anew_is_told_by_what_others_saw(
    tamper: Tamper,
) -> None:
    """Every row was seen by a later one, but those at the very end."""
    for seed in range(100):
        whole = trail()
        rows = [*tamper(whole[:-4], random.Random(seed)), *whole[-4:]]
        made = linked(rows)
        if rows != whole:
            assert problems(made, made[-1].head), (tamper.__name__, seed)


def test_a_trail_that_nobody_touched_has_no_problems() -> None:
    """From its beginning, and from any head that was kept of it."""
    whole = trail()
    assert problems(whole, whole[-1].head) == []
    for place in range(ROWS):
        assert problems(whole[place + 1 :], whole[-1].head, whole[place].head) == []


def places() -> Iterator[tuple[str, list[Row], str]]:
    """A tamper, the rows that come of it, and what is said of it first."""
    whole = trail()
    content = {**whole[6].content, "by": "nobody"}
    yield (
        "changed",
        [*whole[:6], replace(whole[6], content=content), *whole[7:]],
        "row 7: not as it",
    )
    yield "dropped", [*whole[:6], *whole[7:]], "row 7: missing"
    yield "dropped, some", [*whole[:6], *whole[9:]], "rows 7 to 9: missing"
    yield "twice", [*whole[:7], *whole[6:]], "row 7: there twice, or out of its order"
    again = linked([*whole[:6], *whole[7:]])
    yield "linked anew", again, "row 8: has seen row 7 as another one"
    other = replace(trail(payer="P2")[6], head=whole[6].head)
    yield "of another payer", [*whole[:6], other, *whole[7:]], "row 7: not as it was written"
    moved = replace(whole[6], signature=whole[5].signature, content=whole[5].content)
    yield "moved", [*whole[:6], moved, *whole[7:]], "row 7: does not follow the row before"


@pytest.mark.parametrize(
    ("rows", "told"), [pytest.param(rows, told, id=name) for name, rows, told in places()]
)
def test_the_place_is_said(rows: list[Row], told: str) -> None:
    """The first thing that is said names the row."""
    assert problems(rows, rows[-1].head)[0].startswith(told)


def test_a_head_is_known_again_and_no_other_is() -> None:
    """A head that was kept elsewhere is signed, for its payer."""
    head = trail()[-1].head
    text = write_head(KEY, PAYER, head)
    assert read_head(KEY, PAYER, text) == head
    for wrong in ("", "24", "x.y.z", text + "0", text.replace("24.", "23.", 1), "²." + text):
        assert read_head(KEY, PAYER, wrong) is None
    assert read_head(KEY, "P2", text) is None
    assert read_head(b"another key", PAYER, text) is None
