"""What can be wrong with a decision table: refused when loaded, or at fault when asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableProblem:
    """One thing wrong with a table: where, what, and how to put it right."""

    path: str
    message: str
    hint: str = ""


class TableRefused(Exception):
    """The table cannot go live; every problem found is listed in ``problems``."""

    def __init__(self, table: str, problems: tuple[TableProblem, ...]) -> None:
        self.table = table
        self.problems = problems
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{table}: {first.path}: {first.message}{more}")


class TableFault(Exception):
    """The table could not be decided: a fault of the service, never "not required"."""

    def __init__(self, table: str, table_hash: str, reason: str) -> None:
        self.table = table
        self.table_hash = table_hash
        super().__init__(f"{table} ({table_hash}): {reason}")
