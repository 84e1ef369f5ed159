"""One written form of a model, so that the same content gives the same hash."""

from collections.abc import Set as AbstractSet
from typing import Any

import orjson
from pydantic import BaseModel


def canonical_form(model: BaseModel) -> dict[str, Any]:
    """The fields of a model as JSON has them; null, absent and default are the same."""
    form: dict[str, Any] = model.__pydantic_serializer__.to_python(
        model, mode="json", by_alias=True, exclude_defaults=True, exclude_none=True
    )
    return form


def canonical_json(
    model: BaseModel, *, free: tuple[str, ...], without: AbstractSet[str] = frozenset()
) -> bytes:
    """A model as JSON; null, absent and default are the same, the sender's order does not matter.

    ``free`` names the fields that hold content of the sender's own, ``without`` those left out.
    """
    content: bytes = model.__pydantic_serializer__.to_json(
        model, by_alias=True, exclude=set(without), exclude_defaults=True, exclude_none=True
    )
    if any(f'"{name}"'.encode() in content for name in free):
        # The model writes its fields in its own order; free content comes in the sender's.
        parsed: Any = orjson.loads(content)
        content = orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)
    return content
