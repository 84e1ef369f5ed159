"""What may happen to claims and authorizations, as rules; whom it happens to is drawn by number."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service.accounting.books.plan import Bounds, LinePlan
from tests.stores.books_bed import CLAIMS, NAMES, Bed
from tests.stores.books_desk import HOLDING, Desk
from tests.stores.claim_plans import bounds, line_plans

WHICH = st.integers(0, len(CLAIMS) * (len(CLAIMS) - 1) - 1)
Lines = tuple[LinePlan, ...]
T = TypeVar("T")


class Books(RuleBasedStateMachine):
    """A payer of its own with three authorizations and six claims of one member."""

    def __init__(self, bed: Bed) -> None:
        """Begin with nothing."""
        super().__init__()
        self._bed = bed
        self._desk: Desk

    @initialize(limits=st.lists(bounds(), min_size=3, max_size=3))
    def open_books(self, limits: list[dict[str, Bounds]]) -> None:
        """Every authorization has its first version."""
        self._desk = Desk(self._bed, limits)

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "_desk"):
            self._desk.close()

    def _drawable(self) -> Sequence[str]:
        """Claims that no other one replaced; each may be drawn, or drawn anew."""
        return [name for name, each in self._desk.claims.items() if each.replaced_by is None]

    def _pairs(self) -> Sequence[tuple[str, str]]:
        """Claims that may take the place of another one, and that one."""
        claims = self._desk.claims
        return [
            (claim, other)
            for claim in self._drawable()
            for other, each in claims.items()
            if other != claim and each.version and each.replaced_by in (None, claim)
        ]

    def _holding(self) -> Sequence[str]:
        """Claims that hold something; where there are none, those that could."""
        holding = [name for name, each in self._desk.claims.items() if each.status in HOLDING]
        return [name for name in holding if self._desk.claims[name].rows] or holding

    @precondition(lambda self: self._drawable())
    @rule(which=WHICH, lines=line_plans(), is_again=st.booleans())
    def pay(self, which: int, lines: Lines, is_again: bool) -> None:
        """A claim is drawn for good; one that is known anew, or as a higher version."""
        self._desk.draw(chosen(self._drawable(), which), lines, "used", is_again=is_again)

    @precondition(lambda self: self._drawable())
    @rule(which=WHICH, lines=line_plans(), is_again=st.booleans())
    def reserve(self, which: int, lines: Lines, is_again: bool) -> None:
        """A claim is drawn for a preliminary run."""
        self._desk.draw(chosen(self._drawable(), which), lines, "reserved", is_again=is_again)

    @precondition(lambda self: self._pairs())
    @rule(which=WHICH, lines=line_plans(), is_void=st.sampled_from((False, False, True)))
    def replace_another(self, which: int, lines: Lines, is_void: bool) -> None:
        """A claim takes the place of another one, or makes it void."""
        claim, other = chosen(self._pairs(), which)
        if is_void:
            self._desk.draw(claim, (), "used", other, "reversed")
        else:
            self._desk.draw(claim, lines, "used", other, "replaced")

    @rule(which=WHICH, lines=line_plans())
    def draw_from_an_older_version(self, which: int, lines: Lines) -> None:
        """What is no longer in force is not drawn on."""
        self._desk.draw_from_an_older_version(chosen(CLAIMS, which), lines)

    @precondition(lambda self: self._holding())
    @rule(which=WHICH, share=st.integers(1, 14))
    def finalize(self, which: int, share: int) -> None:
        """A claim is made final, all of it or a part."""
        self._desk.give_back(chosen(self._holding(), which), "finalize", min(share, 12))

    @precondition(lambda self: self._holding())
    @rule(
        which=WHICH, step=st.sampled_from(("keep", "release", "reverse")), share=st.integers(0, 12)
    )
    def give_back(self, which: int, step: str, share: int) -> None:
        """A claim gives a part back, or all."""
        self._desk.give_back(chosen(self._holding(), which), step, share)

    @rule()
    def send_again(self) -> None:
        """What was asked from what was read before is refused, and moves nothing."""
        self._desk.draw_again()
        self._desk.give_back_again()

    @rule(
        name=st.sampled_from(NAMES),
        limits=bounds(),
        gone=st.sampled_from(((), ("L1", "L1@"), ("L2",), ("H~", "L2"))),
        is_void=st.sampled_from((False, False, False, True)),
        is_late=st.booleans(),
    )
    def push(
        self,
        name: str,
        limits: dict[str, Bounds],
        gone: tuple[str, ...],
        is_void: bool,
        is_late: bool,
    ) -> None:
        """A version changes limits, drops lines, or is void; the books may hear of it late."""
        known = self._desk.known[name]
        known.version += 1
        known.limits = {base: Bounds() if base in gone else each for base, each in limits.items()}
        known.gone, known.is_void = gone, is_void
        if not is_late:
            self._desk.amend(name)

    @precondition(lambda self: any(each.version for each in self._desk.claims.values()))
    @rule()
    def come_to_rest(self) -> None:
        """Nothing happens for long, and all of it leaves Redis until somebody asks."""
        self._desk.rest()

    @rule(name=st.sampled_from(NAMES))
    def hear_of_a_version(self, name: str) -> None:
        """The version in force is told, perhaps not for the first time."""
        self._desk.amend(name)

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        """Claims, balances, limits and ledger, after every step."""
        self._desk.check()


def chosen(among: Sequence[T], which: int) -> T:
    """Give the one of a number; there are more numbers than there is to choose from."""
    return among[which % len(among)]
