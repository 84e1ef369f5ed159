"""The time as it is written: UTC, to the millisecond."""

from datetime import UTC, date, datetime, timedelta


def now(*, after_s: float = 0) -> str:
    """The time of this moment, or so many seconds later, as ISO 8601 in UTC."""
    time = datetime.now(UTC) + timedelta(seconds=after_s)
    return time.isoformat(timespec="milliseconds")


def today() -> date:
    """The day of this moment in UTC."""
    return datetime.now(UTC).date()
