"""The terms of an authorization: what counting its units needs, and nothing else of it."""

from collections.abc import Iterable, Mapping
from typing import Any

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
_LINE = (*_SCOPE, "line", "removed_on")


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


def read_terms(terms: Any) -> Authorization:
    """The authorization that the terms describe; raises ValidationError where they do not fit."""
    return Authorization.model_validate(terms)
