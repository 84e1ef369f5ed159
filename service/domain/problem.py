"""What is wrong with a rule: the place, the reason, and how to mend it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding; ``path`` is the place within the text, ``line`` counts from 1.

    The code of a finding about a table or a reference is T014.
    """

    path: str
    message: str
    hint: str | None = None
    code: str = "T014"
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        """Write it in one line, as the command line shows it."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}: {self.code} {self.path}: {self.message}{hint}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)
