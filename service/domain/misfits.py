"""Says what does not fit and where; never what was written there: it may be health data."""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

MISFITS_MAX = 20

Path = tuple[int | str, ...]


class Misfit(ValueError):
    """Something of a request that does not fit what is known: why, and where it stands."""

    def __init__(self, reason: str, *path: int | str) -> None:
        """Keep the place as a JSON pointer; without one it is the whole."""
        super().__init__(reason)
        self.path = pointer(path)


def pointer(path: Iterable[int | str]) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def refuse(model: str, found: Iterable[tuple[Path, str]]) -> None:
    """Raise a ValidationError for all that does not fit together in a model, each at its place."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("value_error", "{reason}", {"reason": reason}),
            loc=path,
            input=None,
        )
        for path, reason in found
    ]
    if details:
        raise ValidationError.from_exception_data(model, details)


def repeated(values: Iterable[object]) -> list[int]:
    """The places of values that stood there before."""
    seen: set[object] = set()
    places = []
    for place, value in enumerate(values):
        if value in seen:
            places.append(place)
        seen.add(value)
    return places


def misfits(error: ValidationError, *, most: int = MISFITS_MAX) -> tuple[str, list[dict[str, str]]]:
    """What does not fit: in one line, and place by place, at most so many.

    A list that is called too short only because some of it does not fit is not: that is left out.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)
    paths = {each["loc"] for each in found}
    errors = [
        {"path": pointer(each["loc"]), "message": each["msg"].removeprefix("Value error, ")}
        for each in found
        if each["type"] != "too_short" or not _is_above(each["loc"], paths)
    ]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    reason = f"{errors[0]['path'] or '/'}: {errors[0]['message']}{more}"
    return reason, errors[:most]


def _is_above(path: Sequence[int | str], others: Iterable[Sequence[int | str]]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in others)
