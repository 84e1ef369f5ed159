"""The attached-data fields that templates may use: those that are declared, as they are indexed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from service.domain.reference import AttachedFields

_KEYWORD_CHARACTERS_MAX = 256


def attached_values(
    attached: Mapping[str, Any], declared: AttachedFields, *, prefix: str
) -> dict[str, Any]:
    """The attached-data fields that are declared; the others stay in the source only.

    A value of another type than declared is not indexed: it could not be compared.
    """
    values: dict[str, Any] = {}
    if not attached:
        return values
    for name, kind in declared.fields.items():
        value = attached.get(name)
        if value is None:
            continue
        many = [each for each in (value if isinstance(value, list) else [value]) if _is(each, kind)]
        if many:
            values[f"{prefix}{name}"] = many if isinstance(value, list) else many[0]
    return values


def _is(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "long":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and -(2**63) <= value < 2**63
    if not isinstance(value, str):
        return False
    return _is_day(value) if kind == "date" else len(value) <= _KEYWORD_CHARACTERS_MAX


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
