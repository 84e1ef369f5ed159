"""What differs between two sets of rules, key by key, so that each change can be made alone.

Contents are compared, not texts: comments, spaces and the order of keys that mean the same are no
change. A change is named by its file and the path of its key; entries of a list that have an ``id``
(or ``_id``) are named by it, codes of a reference table by themselves.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from service.querying.problem import Problem
from service.querying.source import read_source

_SHOWN_MAX = 60
_CONTAINERS = frozenset({"settings", "criteria", "levels", "groups", "nodes", "content", "rules"})
"""Keys that only hold others; words leave them out."""

Shape = Literal["mapping", "list"]


class Absent:
    """Stands where a key is not there, which is not null."""

    def __repr__(self) -> str:
        """Say so."""
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """A key with another value; ``before`` or ``after`` is ABSENT where there is no such key.

    ``path`` is empty for a file that is new, gone, or cannot be read: its values are contents, or
    the text. With ``is_order`` both sets have the same entries under the path, and the values are
    their names, as they stand.
    """

    file: str
    path: tuple[str, ...]
    before: Any
    after: Any
    is_order: bool = False

    @property
    def key(self) -> tuple[str, tuple[str, ...], bool]:
        """What tells it from every other change between the same two sets."""
        return self.file, self.path, self.is_order

    @property
    def words(self) -> str:
        """The change as people say it: ``professional: match days, before 5 -> 7``."""
        steps = [each for each in self.path[:-1] if each not in _CONTAINERS] + [*self.path[-1:]]
        place = ", ".join(each.replace("_", " ") for each in steps) or "the file"
        name = self.file.rpartition("/")[2].partition(".")[0]
        if self.is_order:
            return f"{name}: {place}: another order"
        if self.before is ABSENT or self.after is ABSENT:
            value = self.before if self.after is ABSENT else self.after
            told = "" if not self.path or value == self.path[-1] else f" {_shown(value)}"
            return f"{name}: {place}{told} {'added' if self.before is ABSENT else 'removed'}"
        if not self.path:
            return f"{name}: the file differs, and cannot be read"
        return f"{name}: {place} {_shown(self.before)} -> {_shown(self.after)}"


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    """All that differs from one set of texts to another, in the order of files and keys."""
    found: list[Change] = []
    for file in sorted({*old, *new}):
        if old.get(file) != new.get(file):
            before, after = (content_of(file, each.get(file)) for each in (old, new))
            found += _differences(file, (), before, after)
    return tuple(found)


def mixed(
    old: Mapping[str, str], new: Mapping[str, str], chosen: Collection[Change]
) -> dict[str, str]:
    """The texts of ``old`` with only these of its changes to ``new`` made.

    Leaving some out of all undoes them. A file of which some are made, and some not, is JSON, which
    YAML reads as well.
    """
    keys = {each.key for each in chosen}
    texts: dict[str, str] = {}
    for file in sorted({*old, *new}):
        before, after = old.get(file), new.get(file)
        all_of_it = [each.key for each in changes(_only(file, before), _only(file, after))]
        made = [each for each in all_of_it if each in keys]
        text = before
        if len(made) == len(all_of_it):
            text = after
        elif made:
            mix = _mixed(file, (), content_of(file, before), content_of(file, after), keys)
            text = orjson.dumps(mix, option=orjson.OPT_INDENT_2).decode() + "\n"
        if text is not None:
            texts[file] = text
    return texts


def content_of(file: str, text: str | None) -> Any:
    """What a file says, as plain values; ABSENT without a text, the text where it is not read."""
    if text is None:
        return ABSENT
    if file.endswith(".json"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    source = read_source(text, file)
    return text if isinstance(source, Problem) else source.plain()


def _only(file: str, text: str | None) -> dict[str, str]:
    return {} if text is None else {file: text}


def _differences(file: str, path: tuple[str, ...], before: Any, after: Any) -> Iterator[Change]:
    if _is_same(before, after, sort=False):
        return
    both = _keyed(file, path, before, after)
    if both is None:
        if not _is_same(before, after):
            yield Change(file, path, before, after)
        return
    shape, one, other = both
    for name in (*one, *(each for each in other if each not in one)):
        yield from _differences(file, (*path, name), one.get(name, ABSENT), other.get(name, ABSENT))
    if shape == "list" or _is_ordered(file, path):
        before, after = (
            tuple(name for name in each if name in one and name in other) for each in (one, other)
        )
        if before != after:
            yield Change(file, path, before, after, is_order=True)


def _mixed(file: str, path: tuple[str, ...], before: Any, after: Any, keys: Collection[Any]) -> Any:
    """The value of a path with the chosen changes under it made; ABSENT where there is none."""
    both = _keyed(file, path, before, after)
    if both is None:
        return after if (file, path, False) in keys else before
    shape, one, other = both
    is_other_order = (file, path, True) in keys
    names = _merged(other, one) if is_other_order else _merged(one, other)
    found = {
        name: _mixed(file, (*path, name), one.get(name, ABSENT), other.get(name, ABSENT), keys)
        for name in names
    }
    kept = {name: value for name, value in found.items() if value is not ABSENT}
    return kept if shape == "mapping" else list(kept.values())


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Names in the order of the first; those of the second alone stand behind their neighbour."""
    behind: dict[str | None, list[str]] = {}
    last = None
    for name in second:
        if name in first:
            last = name
        else:
            behind.setdefault(last, []).append(name)
    placed = [name for each in first for name in (each, *behind.get(each, ()))]
    return [*behind.get(None, ()), *placed]


def _keyed(
    file: str, path: tuple[str, ...], before: Any, after: Any
) -> tuple[Shape, dict[str, Any], dict[str, Any]] | None:
    """The entries of both values by name, where both have named ones of one shape."""
    if isinstance(before, dict) and isinstance(after, dict):
        return "mapping", before, after
    if isinstance(before, list) and isinstance(after, list):
        # Of entries and bare codes together nothing could be named: such a list changes as one.
        if len({type(each) for each in (*before, *after)}) > 1:
            return None
        one, other = _by_name(file, before), _by_name(file, after)
        if one is not None and other is not None:
            return "list", one, other
    return None


def _by_name(file: str, entries: list[Any]) -> dict[str, Any] | None:
    """Entries of a list by what names them; None where one has no name, or shares it."""
    if file.startswith("reference/") and all(isinstance(each, str) for each in entries):
        names = entries
    else:
        names = [
            each.get("id", each.get("_id")) if isinstance(each, dict) else None for each in entries
        ]
    found = {name: each for name, each in zip(names, entries, strict=True) if isinstance(name, str)}
    return found if len(found) == len(entries) else None


def _is_ordered(file: str, path: tuple[str, ...]) -> bool:
    """Whether the order of the keys of a mapping says something: of an ordered table it does."""
    return file.startswith("reference/") and path == ("groups",)


def _is_same(one: Any, other: Any, *, sort: bool = True) -> bool:
    """Whether two values are written the same: 1, 1.0 and true are three."""
    if one is ABSENT or other is ABSENT:
        return one is other
    option = orjson.OPT_SORT_KEYS if sort else 0
    return bool(orjson.dumps(one, option=option) == orjson.dumps(other, option=option))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."
