"""Replays the entries of a whole book."""

from collections.abc import Iterable, Mapping

from service.accounting.replay.ledger import Replayed


def replay(entries: Iterable[tuple[str, Mapping[str, str]]]) -> Replayed:
    """Replay all entries of a book by their ids, oldest first."""
    replayed = Replayed()
    for entry_id, fields in entries:
        replayed.take(entry_id, fields)
    return replayed
