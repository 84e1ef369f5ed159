"""What is told, and how it fails; it says as little as is needed to go and look."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.alert import Alert, AlertKind

TITLES: dict[AlertKind, str] = {
    "used": "mostly used",
    "left": "few sessions left",
    "negative": "more used than granted",
    "ending": "ends soon",
    "pended": "pended for long",
    "follow-up": "to be followed up",
    "decision-due": "to be decided",
    "document-missing": "without a document",
    "appeal": "to be appealed soon",
}
"""What each kind is in a few words, of nobody."""


class NotTold(Exception):
    """Something could not be delivered; ``is_lasting``: it will not be the next time either."""

    def __init__(self, reason: str, *, is_lasting: bool = False) -> None:
        """Say why, without an address or a secret."""
        super().__init__(reason)
        self.is_lasting = is_lasting


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Some alerts for somebody, under an id that stays the same however often it is sent.

    ``page`` is where they are shown, if that is known.
    """

    notice_id: str
    payer: str
    alerts: Sequence[Alert]
    page: str | None = None

    @property
    def counts(self) -> list[str]:
        """How many there are of each kind, in words."""
        counted = Counter(each.kind for each in self.alerts)
        return [f"{count} {TITLES[kind]}" for kind, count in counted.items()]
