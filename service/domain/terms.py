"""The terms of an authorization: what counting its units needs, and nothing else of it."""

from typing import Any

from service.domain.authorization import Authorization

_SCOPE: dict[str, Any] = {
    "decision": {"action"},
    "certification_date": True,
    "effective": True,
    "requested_dates": True,
    "admission": {"date", "discharge_date"},
    "limits": True,
    "requested": True,
}
_TERMS: dict[str, Any] = _SCOPE | {
    "authorization_id": True,
    "version": True,
    "kind": True,
    "setting": True,
    "number": True,
    "member": {"id"},
    "override_benefit_limits": True,
    "lines": {"__all__": _SCOPE | {"line": True, "removed_on": True}},
}


def terms_of(authorization: Authorization) -> bytes:
    """Write the terms as JSON: an authorization that says no more than that."""
    return authorization.__pydantic_serializer__.to_json(
        authorization, include=_TERMS, by_alias=True, exclude_none=True, exclude_defaults=True
    )


def read_terms(terms: Any) -> Authorization:
    """Read an authorization from its terms."""
    return Authorization.model_validate(terms)
