"""What two values of JSON say otherwise, place by place."""

from collections.abc import Iterator
from typing import Any


def differences(one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    """Each place (RFC 6901) at which they differ, in order, with both values; nothing is None."""
    was, now = dict(_said(one, "")), dict(_said(other, ""))
    places = dict.fromkeys((*was, *now))
    return [
        (each, was.get(each), now.get(each)) for each in places if was.get(each) != now.get(each)
    ]


def _said(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """All that is said, by its place; what is empty is not said."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in pairs:
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            yield from _said(each, f"{place}/{escaped}")
    elif value is not None and value != "":
        yield place, value
