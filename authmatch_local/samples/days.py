"""The days of the samples, counted from the first one, as ISO text."""

from datetime import date, timedelta

BACK_DAYS = 1_500
AHEAD_DAYS = 1_500


class Days:
    """ISO days by their distance from the first day; a table, asked a few times a paper."""

    def __init__(self, first_day: date) -> None:
        self._texts = [
            (first_day + timedelta(days=offset)).isoformat()
            for offset in range(-BACK_DAYS, AHEAD_DAYS + 1)
        ]

    def __getitem__(self, offset: int) -> str:
        return self._texts[offset + BACK_DAYS]
