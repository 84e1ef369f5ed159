"""Where a listing goes on: what a search sorted by, written so that it can be given out."""

import base64
import binascii
from typing import Any

import orjson


class BadCursor(ValueError):
    """A paging cursor that was not given out by a search."""


def write_cursor(sort: list[Any]) -> str:
    """Write the sort values of the last hit."""
    return base64.urlsafe_b64encode(orjson.dumps(sort)).decode().rstrip("=")


def read_cursor(text: str, types: tuple[type, ...]) -> list[Any]:
    """Read them back; raises BadCursor unless they are of these types."""
    try:
        sort = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise BadCursor("this cursor was not given out by a search") from error
    if not isinstance(sort, list) or tuple(map(type, sort)) != types:
        raise BadCursor("this cursor was not given out by a search")
    return sort
