"""Who did something."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who was authenticated, and for whom it was done where that is somebody else.

    Both are texts of a record: empty where there is nobody.
    """

    by: str = ""
    on_behalf_of: str = ""


NOBODY = Actor()
"""Of what nobody asked for."""
