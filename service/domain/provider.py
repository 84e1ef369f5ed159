"""Who asks for a service, who gives it, and where."""

from typing import Literal

from pydantic import Field

from service.domain.values import Code, Frozen, Npi, Text, Tin


class _Provider(Frozen):
    npi: Npi | None = None
    tin: Tin | None = None
    name: Text | None = None
    taxonomy: tuple[Code, ...] = Field(default=(), max_length=20)
    specialty: Code | None = None


class AuthorizedProvider(_Provider):
    """A provider that an authorization names (X12 NM1 with PRV and REF*EI)."""

    group_scope: Literal["in", "out", "either"] | None = Field(
        default=None, description="Which network status of the provider is covered (seed 004)."
    )
    provider_group: Text | None = None
    organization: bool | None = Field(
        default=None,
        description="Whether it is an organization (NM102 2), which is met by all that it bills.",
    )


class ClaimProvider(_Provider):
    """A provider of a claim, in one of its roles; its groups are resolved upstream."""

    groups: tuple[Text, ...] = Field(default=(), max_length=50)
