"""What the books know of a claim: its version, what it holds, which answers were given."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.accounting.books.rows import HeldRow

NEVER = "none"
USED = "used"
RESERVED = "reserved"
SUSPENDED = "suspended"
"""Every line waits for an examiner: nothing is held, and the claim is in force."""
RELEASED = "released"
REVERSED = "reversed"
REPLACED = "replaced"
VOID = "void"
"""A claim that voids another one, and holds nothing itself."""
BILLED = "billed"
"""A claim took the place of a charge, and draws what it needs itself."""
IN_FORCE = frozenset({USED, RESERVED, SUSPENDED})
"""The claim stands as it was adjudicated: it holds what it drew, or waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimState:
    """A claim as it stands; one that was never adjudicated has the sequence 0.

    ``sequence`` counts what happened to it, ``fingerprints`` and ``entries`` tell, by version, what
    was asked and where in the ledger the answer is. ``replaced_by`` is the claim that replaced or
    voided it, ``owner`` the member for whom it was first drawn, without telling who that is;
    ``billed_by`` are the claims that ever took the place of it, a charge.
    """

    claim_id: str
    owner: str = ""
    sequence: int = 0
    version: int = 0
    status: str = NEVER
    rows: tuple[HeldRow, ...] = ()
    fingerprints: Mapping[int, str] = field(default_factory=dict)
    entries: Mapping[int, str] = field(default_factory=dict)
    replaced_by: str | None = None
    billed_by: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether it was ever adjudicated."""
        return self.sequence > 0

    @property
    def is_only_named(self) -> bool:
        """Whether it is a charge that claims named, and to which nothing was ever attached."""
        return self.is_known and not self.version

    @property
    def is_held(self) -> bool:
        """Whether what it drew still counts."""
        return self.status in (USED, RESERVED)

    @property
    def is_in_force(self) -> bool:
        """Whether the claim stands as it was adjudicated: it holds what it drew, or waits."""
        return self.status in IN_FORCE

    def stands_as(self, entry: str) -> bool:
        """Whether the adjudication in force is this entry of the ledger."""
        return self.entries.get(self.version) == entry

    @property
    def authorizations(self) -> tuple[str, ...]:
        """The authorizations that it holds units of."""
        return tuple(dict.fromkeys(row.authorization_id for row in self.rows))
