"""The terms of an authorization: what counting its units needs, and nothing else of it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from service.domain.authorization import Authorization

Form = Mapping[str, Any]
"""An authorization, or a part of it, as ``canonical_form`` gives it."""

_SCOPE = ("certification_date", "effective", "requested_dates", "limits", "requested")
_SCOPE_PARTS = {"decision": ("action",), "admission": ("date", "discharge_date")}
_HEADER = (
    *_SCOPE,
    "authorization_id",
    "version",
    "kind",
    "setting",
    "number",
    "override_benefit_limits",
)
_HEADER_PARTS = _SCOPE_PARTS | {"member": ("id",)}
_LINE = (*_SCOPE, "line", "removed_on", "unit_price")
_COUNTED = "counted"


def terms_in(form: Form) -> dict[str, Any]:
    """The terms within the canonical form of an authorization."""
    terms = _kept(form, _HEADER, _HEADER_PARTS)
    if "lines" in form:
        terms["lines"] = [_kept(line, _LINE, _SCOPE_PARTS) for line in form["lines"]]
    return terms


def _kept(form: Form, names: Iterable[str], parts: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    kept = {name: form[name] for name in names if name in form}
    for part, within in parts.items():
        if part in form:
            whole = form[part]
            kept[part] = {name: whole[name] for name in within if name in whole}
    return kept


class HowCounted(NamedTuple):
    """How the lines of a version are told apart and counted, as the books write it.

    ``shape`` is the same for versions that count alike; of ``untold`` lines nobody knows what was
    drawn before, in the measure that they have now.
    """

    shape: str
    lines: str
    untold: tuple[int, ...] = ()


def with_counting(terms: Form, counted: HowCounted) -> dict[str, Any]:
    """The terms with how they are counted."""
    return {**terms, _COUNTED: list(counted)}


def counting_in(terms: Form) -> HowCounted | None:
    """How the authorization of these terms is counted, where they say so."""
    counted = terms.get(_COUNTED)
    return HowCounted(counted[0], counted[1], tuple(counted[2])) if counted else None


def read_terms(terms: Any) -> Authorization:
    """The authorization that the terms describe; raises ValidationError where they do not fit."""
    said = {name: value for name, value in terms.items() if name != _COUNTED}
    return Authorization.model_validate(said)
