"""What is wrong with a template: a code, the place, the reason, and how to mend it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding; ``path`` is a JSON pointer into the template, ``line`` counts from 1."""

    code: str
    path: str
    message: str
    file: str = ""
    line: int | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """The finding in one line, as the command line shows it."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        hint = f"; {self.hint}" if self.hint else ""
        place = f"{self.code} {self.path}" if self.code else self.path
        return f"{where}: {place}: {self.message}{hint}".removeprefix(": ")

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain values."""
        return asdict(self)


class TemplatesRefused(Exception):
    """Templates or tables cannot be used as they are; ``problems`` says why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the findings."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
