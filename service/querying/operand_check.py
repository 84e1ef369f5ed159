"""Whether what stands on the claim's side can be set against an authorization field at all.

A value of another type would never be equal, or Elasticsearch would refuse the search of every
claim, so that such a template is refused instead.
"""

import re
from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError

from service.comparison.comparison import Comparison
from service.domain.fields import CLAIM_FIELDS, AuthorizationField
from service.domain.reference import AttachedFields
from service.domain.template import Comparand
from service.domain.values import Day

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
_DAY: TypeAdapter[object] = TypeAdapter(Day)


def operand_faults(
    each: Comparand, field: AuthorizationField, comparison: Comparison, attached: AttachedFields
) -> Iterator[tuple[str, str]]:
    """Give key and message of each operand that cannot be compared."""
    if "keyword" not in comparison.types:
        for key in ("value", "expand"):
            if getattr(each, key):
                yield key, f"{comparison.name} takes fields of the claim as they are"
    if len(each.value) > 1 and comparison.claims == (1, 1):
        yield "value", f"{comparison.name} takes one value, any-of takes several"
    wanted = "date" if field.type == "date_range" else field.type
    if wanted not in ("date", "long", "boolean"):
        return
    for name in each.claim:
        given = _claim_type(name, attached)
        if given not in (None, wanted):
            yield "claim", f"{name} is a {given}, {each.authorization} a {field.type}"
    for text in each.value:
        if not _reads_as(text, wanted):
            yield "value", f"{text} is not a {wanted}, as {each.authorization} is"


def _claim_type(name: str, attached: AttachedFields) -> str | None:
    if name in CLAIM_FIELDS:
        return CLAIM_FIELDS[name].type
    return attached.fields.get(name.removeprefix("line.").removeprefix("attached."))


def _reads_as(text: str, wanted: str) -> bool:
    if wanted == "boolean":
        return text in ("true", "false")
    if wanted == "long":
        return _WHOLE_NUMBER.fullmatch(text) is not None
    try:
        _DAY.validate_python(text)
    except ValidationError:
        return False
    return True
