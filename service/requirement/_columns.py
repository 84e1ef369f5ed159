"""What a decision table may read and answer: its columns and the values that they hold."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

Value = str | int | float | bool | tuple[str, ...] | None
"""A value of a column: absent is None, several texts are a tuple (empty when there are none)."""

Kind = Literal["text", "texts", "number", "boolean"]

_SAMPLES: Mapping[Kind, tuple[Value, ...]] = {
    "text": ("A", "10", "D2740"),
    "texts": (("A", "10"), ()),
    "number": (0, 2.5, 1000),
    "boolean": (True, False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputColumn:
    """A column that tables may read.

    ``values`` are all the texts that it can ever hold, where that is known, and ``written`` brings
    a code to the form that it is compared in: a table that names another text would silently never
    fit, and is refused. ``tried`` are samples, where those of the kind would not do.
    """

    title: str
    kind: Kind
    values: frozenset[str] | None = None
    written: Callable[[str], str] | None = None
    tried: tuple[Value, ...] = ()

    @property
    def samples(self) -> tuple[Value, ...]:
        """Values of this kind, on which every cell is tried before a table is accepted."""
        if self.tried:
            return self.tried
        if self.values is not None and self.kind == "text":
            return tuple(sorted(self.values))
        return _SAMPLES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputColumn:
    """A column that a table answers with: one of the allowed texts, or several of them."""

    allowed: frozenset[str]
    many: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The columns that a table of this use may read, and must answer."""

    inputs: Mapping[str, InputColumn]
    outputs: Mapping[str, OutputColumn] = field(default_factory=dict)


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is closest to a mistyped one, as a hint; empty when none is."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else ""
