"""The base of every fault of an engine, for rooms that must not know the engines themselves."""

from typing import ClassVar

RETRY_AFTER_S = 2


class EngineFault(Exception):
    """An engine did not do what it was asked; the same call may succeed later.

    ``engine`` names it, ``retry_after_s`` says when to try again. One that ``is_lasting`` refuses
    the request itself: the same one will be refused again.
    """

    retry_after_s: int = RETRY_AFTER_S
    is_lasting: ClassVar[bool] = False

    def __init__(self, engine: str, reason: str) -> None:
        """Keep which engine, and why."""
        super().__init__(f"{engine}: {reason}")
        self.engine = engine
        self.reason = reason
