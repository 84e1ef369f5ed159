"""A key that stands twice in one object of JSON: readers take the last one, and say nothing."""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from service.domain.misfits import pointer

_MAY_HIDE = b"\\u00"
"""A colon may be written so, and would be counted where none is."""


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written."""


def repeated_key(content: bytes, parsed: object = None) -> str | None:
    """The JSON pointer of the first key that stands twice in its object; None where none does.

    ``parsed`` is the content as it was read, if it was. Text that is not JSON has none.
    """
    try:
        again = orjson.dumps(orjson.loads(content) if parsed is None else parsed)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    if again.count(b":") == content.count(b":") and _MAY_HIDE not in content:
        return None  # nothing was left out: the usual case costs some microseconds
    try:
        written = json.loads(content, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None
    return next((pointer(path) for path in _repeated(written, ())), None)


def _repeated(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, each in value:
            if key in seen:
                yield (*path, key)
            seen.add(key)
            yield from _repeated(each, (*path, key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _repeated(each, (*path, place))
