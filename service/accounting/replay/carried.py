"""Balances that went to another member: what becomes of accounts that take them in.

This is the arithmetic of ``arrive.lua`` a second time, so that each is checked by the other. What
was frozen in a bucket when an authorization left it is a **grain**: it has a name, and accounts
keep the names of all grains that are part of them, as fields ``from:``. So none counts twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service.accounting.books.scale import SCALE
from service.accounting.replay.holdings import FIELDS

Hash = dict[str, str]
Left = Mapping[str, Any]
"""What a bucket gave: its grain ``g``, fields ``f`` and tokens ``t``, both as pairs."""

MOVED = "moved"
_OF_BUCKET = frozenset({"id", "n", "v", "mo", "st", "to", "g"})


def has_travelled(fields: Mapping[str, str]) -> bool:
    """Whether balances came from another bucket, or went to one."""
    if fields.get("st") == MOVED:
        return any(name.rpartition(".")[2] in FIELDS for name in fields if ":" not in name)
    return any(name.startswith("from:") for name in fields)


def take_in(own: Hash, own_tokens: Hash, given: Sequence[Left]) -> tuple[Hash, Hash]:
    """Give fields and tokens of accounts with what came from other buckets."""
    inside = set(_grains([own, *(dict(each["f"]) for each in given)]))
    has_left = own.get("st") == MOVED
    is_replaced = has_left and own["g"] in inside
    fields = {} if is_replaced else dict(own)
    tokens = {} if is_replaced else dict(own_tokens)
    for each in given:
        if each["g"] not in inside:
            for field, value in each["f"]:
                _take_field(fields, field, value)
            for token, value in each["t"]:
                _take_token(fields, tokens, token, value)
            fields[f"from:{each['g']}"] = "1"
    if has_left:
        fields[f"from:{own['g']}"] = "1"
    return {name: each for name, each in fields.items() if name not in ("to", "g", "mo")}, tokens


def _grains(hashes: Iterable[Mapping[str, str]]) -> Iterable[str]:
    for fields in hashes:
        for field in fields:
            head, found, grain = field.partition(":")
            if head == "from" and found:
                yield grain


def _take_field(fields: Hash, field: str, value: str) -> None:
    """Balances add up; of two limits ours stands, a push brings the right ones in a moment."""
    head = field.partition(":")[0]
    if head == "from":
        fields[field] = "1"
    elif head == "back":
        fields[field] = str(max(int(fields.get(field, "0")), int(value)))
    elif field.rpartition(".")[2] in FIELDS:
        fields[field] = str(int(fields.get(field, "0")) + int(value))
    elif field not in _OF_BUCKET:
        fields.setdefault(field, value)


def _take_token(fields: Hash, tokens: Hash, token: str, value: str) -> None:
    """A token is held by all who held it, and costs one unit: what it cost on either side goes."""
    known = tokens.get(token)
    if known is None:
        tokens[token] = value
        return
    both = ":".join(
        str(sum(map(int, pair))) for pair in zip(_counts(known), _counts(value), strict=True)
    )
    for counts, change in ((known, -SCALE), (value, -SCALE), (both, SCALE)):
        account, measure, _ = token.split("|", 2)
        state = "u" if int(_counts(counts)[0]) else "r"
        field = f"{account}.{measure}{state}"
        fields[field] = str(int(fields.get(field, "0")) + change)
    tokens[token] = both


def _counts(held: str) -> list[str]:
    return held.split(":")
