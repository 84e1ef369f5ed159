"""Who did something."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who was authenticated, and for whom it was done where that is somebody else.

    Both are texts of a record: empty where there is nobody.
    """

    by: str = ""
    on_behalf_of: str = ""

    def may_be(self, other: "Actor") -> bool:
        """Whether two may be one: the same credential, unless it named two people."""
        named = self.on_behalf_of, other.on_behalf_of
        if self.by == other.by:
            return not all(named) or named[0] == named[1]
        return all(named) and named[0] == named[1]


NOBODY = Actor()
"""Of what nobody asked for."""
