"""Alerts as a calendar that others subscribe to (iCalendar, RFC 5545).

All that stands in it is written here, and short: no line is folded, no text has to be escaped.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from service.domain.alert import Alert
from service.domain.moment import in_zone
from service.notices.notice import TITLES

MEDIA_TYPE = "text/calendar; charset=utf-8"
_DAY = "%Y%m%d"
_TIME = "%Y%m%dT%H%M%SZ"


def calendar_of(alerts: Iterable[Alert], page: str | None) -> bytes:
    """A whole day for each alert that has one, a time for each decision; nothing of any person.

    What is about units has no day, and stands on the day on which it was found.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//authmatch//alerts//EN"]
    lines += ["METHOD:PUBLISH", "X-WR-CALNAME:Authorizations"]
    for alert in alerts:
        lines += ["BEGIN:VEVENT", f"UID:{alert.alert_id}@authmatch"]
        lines += [f"DTSTAMP:{_time(alert.since)}", *_when(alert)]
        lines += [f"SUMMARY:Authorization {TITLES[alert.kind]} ({alert.alert_id[:6]})"]
        lines += ["CLASS:PRIVATE", "TRANSP:TRANSPARENT", *([f"URL:{page}"] if page else [])]
        lines += ["END:VEVENT"]
    return "".join(f"{line}\r\n" for line in (*lines, "END:VCALENDAR")).encode()


def _when(alert: Alert) -> list[str]:
    if alert.due:
        return [f"DTSTART:{_time(alert.due)}"]
    on = date.fromisoformat(alert.day or alert.since[:10])
    return [
        f"DTSTART;VALUE=DATE:{on:{_DAY}}",
        f"DTEND;VALUE=DATE:{on + timedelta(days=1):{_DAY}}",
    ]


def _time(text: str) -> str:
    return f"{in_zone(datetime.fromisoformat(text), UTC):{_TIME}}"
