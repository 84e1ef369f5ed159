"""What can go wrong with an engine of this machine."""


class EngineError(Exception):
    """An engine could not be brought, started or stopped.

    `reason` is one line; `log_tail` the last lines of the engine's own log, empty where there is
    none. Its text is both.
    """

    def __init__(self, reason: str, *, log_tail: str = "") -> None:
        super().__init__(f"{reason}\n{log_tail}" if log_tail else reason)
        self.reason = reason
        self.log_tail = log_tail


class InUseError(EngineError):
    """A lock of the cache or of a home is held by another process."""
