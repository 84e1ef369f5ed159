"""A billed procedure code inside an authorized code or range of codes."""

from service.comparison.comparison import Clause, Comparison, How, Values
from service.domain import codes
from service.domain.effective import LineValues

Procedure = tuple[str, str]
"""Code and shape."""


def _code_and_shape(values: Values, how: How) -> Procedure | None:
    code = values[0] if values else None
    if not isinstance(code, str):
        return None
    given = values[1] if len(values) > 1 else None
    return code, given if isinstance(given, str) else codes.procedure_shape(code)


def _in_range_in_elasticsearch(field: str, value: Procedure, how: How) -> Clause:
    code, shape = value
    return {
        "bool": {
            "filter": [
                {"term": {f"{field}.shape": shape}},
                {"range": {f"{field}.from": {"lte": code}}},
                {"range": {f"{field}.to": {"gte": code}}},
            ]
        }
    }


def _in_range(line: LineValues, field: str, value: Procedure, how: How) -> bool:
    code, shape = value
    first = line.get(f"{field}.from")
    return (
        first is not None
        and first <= code <= line[f"{field}.to"]
        and line.get(f"{field}.shape") == shape
    )


def _range_side_by_side(line: LineValues, field: str, value: Procedure, how: How) -> str:
    return f"{value[0]} billed, {authorized_procedure(line, field)} authorized"


def authorized_procedure(line: LineValues, field: str) -> str | None:
    """What the line authorizes, as text: a code, a range, a group; None for nothing."""
    first, last = line.get(f"{field}.from"), line.get(f"{field}.to")
    if first is None:
        group = line.get(f"{field}.group")
        return str(group) if group is not None else None
    return first if last == first else f"{first}-{last}"


IN_RANGE = Comparison(
    name="in-range",
    types=frozenset({"procedure"}),
    read=_code_and_shape,
    clause=_in_range_in_elasticsearch,
    fits=_in_range,
    why=_range_side_by_side,
    claims=(1, 2),
)
