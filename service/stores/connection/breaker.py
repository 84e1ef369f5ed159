"""Keeps pushes from waiting, one after the other, for an Elasticsearch that does not answer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from service.stores.connection.faults import EngineTooSlow, EngineUnavailable

OPEN_S = 2.0


@dataclass(eq=False, repr=False)
class Breaker:
    """Open for a while after a failure; then one attempt at a time, until one succeeds."""

    _has_failed: bool = field(default=False, init=False)
    _is_probed: bool = field(default=False, init=False)
    _open_until: float = field(default=0.0, init=False)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Try something on Elasticsearch; raises EngineUnavailable at once while there is no use.

        Whoever was let through before the failure was known goes on to its own end.
        """
        is_probe = self._has_failed
        if is_probe:
            if self._is_probed or time.monotonic() < self._open_until:
                raise EngineUnavailable("elasticsearch", "it did not answer a moment ago")
            self._is_probed = True
        try:
            yield
        except (EngineUnavailable, EngineTooSlow) as fault:
            if fault.engine == "elasticsearch":
                self._has_failed = True
                self._open_until = time.monotonic() + OPEN_S
            raise
        else:
            self._has_failed = False
        finally:
            if is_probe:
                self._is_probed = False
