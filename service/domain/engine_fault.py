"""The base of every fault of an engine, for rooms that must not know the engines themselves."""

from typing import Any, ClassVar

RETRY_AFTER_S = 2


class EngineFault(Exception):
    """An engine did not do what it was asked; the same call may succeed later.

    ``engine`` names it, ``retry_after_s`` says when to try again. One that ``is_lasting`` refuses
    the request itself: the same one will be refused again.
    """

    retry_after_s: int = RETRY_AFTER_S
    is_lasting: ClassVar[bool] = False

    def __init__(self, engine: str, reason: str) -> None:
        """Keep which engine failed, and why."""
        super().__init__(f"{engine}: {reason}")
        self.engine = engine
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with both parts."""
        return type(self), (self.engine, self.reason)

    @property
    def can_wait(self) -> bool:
        """Whether what was to be stored may wait in the outbox until the search engine is back."""
        return self.engine == "elasticsearch" and not self.is_lasting


class RecordLost(EngineFault):
    """The record of an answer is in neither engine, though units say that it was given.

    So it is where Elasticsearch was restored from an older state than Redis has: units stand.
    """

    is_lasting = True

    def __init__(self) -> None:
        """Say so, and what can be done."""
        super().__init__(
            "elasticsearch",
            "the record of this answer is lost, and its units stand: Elasticsearch is older than"
            " Redis. Send the claim with readjudicate, or a later version of it",
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes."""
        return type(self), ()
