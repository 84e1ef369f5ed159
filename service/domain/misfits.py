"""Says what does not fit a model and where; never what was written there: it may be health data."""

from collections.abc import Iterable

from pydantic import ValidationError

MISFITS_MAX = 20


def pointer(path: Iterable[int | str]) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def misfits(error: ValidationError, *, most: int = MISFITS_MAX) -> tuple[str, list[dict[str, str]]]:
    """What does not fit: in one line, and place by place, at most so many."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [
        {"path": pointer(each["loc"]), "message": each["msg"].removeprefix("Value error, ")}
        for each in found
    ]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    reason = f"{errors[0]['path'] or '/'}: {errors[0]['message']}{more}"
    return reason, errors[:most]
