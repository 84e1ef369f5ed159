"""When a message was made, as exactly as it says: a day alone leaves its time open."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
INSTANT = timedelta()
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time that lies somewhere in ``width`` from ``at`` on."""

    at: datetime
    width: timedelta

    @property
    def ends(self) -> datetime:
        """The first time after it."""
        room = datetime.max.replace(tzinfo=self.at.tzinfo) - self.at
        return self.at + min(self.width, room)

    def holds(self, other: "Moment") -> bool:
        """Whether another one says more exactly when this was."""
        return other.width < self.width and self.at <= other.at < self.ends


def add_months(day: date, count: int) -> date:
    """The day so many months later: the same of the month, or the month's last.

    >>> add_months(date(2028, 3, 31), -1).isoformat()
    '2028-02-29'
    """
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def finest(moments: Iterable[Moment | None]) -> Moment | None:
    """The first that is there, as exactly as the others tell it; None without any."""
    told: Moment | None = None
    for each in moments:
        if each is not None and (told is None or told.holds(each)):
            told = each
    return told


def in_order(moments: Iterable[Moment | None]) -> datetime | None:
    """The time by which a message comes before or after others; None without any.

    Of a day whose message was sent after it, the order of sending counts within its last minute:
    what is sent again much later is never newer than what was made on a later day.
    """
    known = [each for each in moments if each is not None]
    told = finest(known)
    if told is None:
        return None
    later = min((each.at for each in known if each.at >= told.ends), default=None)
    if told.width < DAY or later is None:
        return told.at
    minutes = (later - told.ends) // MINUTE
    return told.ends - MINUTE + min(minutes * _MILLISECOND, MINUTE - _MILLISECOND)


def in_zone(at: datetime, zone: tzinfo) -> datetime:
    """A time as a zone has it; as it was told where the calendar ends before, or begins after."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at
