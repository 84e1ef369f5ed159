"""One pass over the waiting claims of a member, for the authorizations that had arrived."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

ANY = "*"
"""Stands for all authorizations of a member for whom too many arrived to name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """How far the pass has come. ``owner`` names the member without telling who it is.

    ``arrived`` has the authorizations by id, each with the stamp of its arrival; ``after`` is the
    last claim that was looked at, ``failures`` counts how often in a row an engine failed.
    ``skipped`` says that some claim could not be looked at, so that the pass runs again; ``rounds``
    counts these runs. ``lease`` tells who runs it.
    """

    payer: str
    owner: str
    arrived: Mapping[str, str]
    after: str = ""
    failures: int = 0
    skipped: bool = False
    rounds: int = 0
    lease: str = field(default="", repr=False)

    @property
    def ids(self) -> Collection[str] | None:
        """The authorizations that arrived; None for any."""
        return None if ANY in self.arrived else self.arrived.keys()
