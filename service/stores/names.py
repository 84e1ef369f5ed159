"""How indices, documents and keys are named."""

import hashlib
import hmac
from dataclasses import dataclass

BUCKETS = 1024
"""Redis keys of a member share a slot by their bucket; a claim touches one."""


@dataclass(frozen=True, slots=True)
class IndexNames:
    """The names of all indices, behind an optional prefix."""

    prefix: str = ""

    @property
    def authorizations(self) -> str:
        """The alias of the current versions."""
        return f"{self.prefix}authorizations"

    def generation(self, number: int) -> str:
        """The index behind the alias, one for each rebuild."""
        return f"{self.authorizations}-v{number}"

    @property
    def locator(self) -> str:
        """Where each authorization lives."""
        return f"{self.prefix}authorization-locator"

    @property
    def history(self) -> str:
        """Replaced versions."""
        return f"{self.prefix}authorization-history"


def document_id(payer: str, authorization_id: str) -> str:
    """Name a document; the same in the index and in the locator."""
    return f"{payer}|{authorization_id}"


def routing(payer: str, member_id: str) -> str:
    """Name the route to a member's authorizations: one shard holds them all."""
    return f"{payer}|{member_id}"


def history_id(payer: str, authorization_id: str, version: int) -> str:
    """Name one version of an authorization."""
    return f"{payer}|{authorization_id}|{version}"


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The names of Redis keys; a member stands in them as a keyed hash, never by id."""

    prefix: str
    secret: bytes

    def mark(self, payer: str, member_id: str) -> str:
        """Name the mark of a member whose pushes may not be searchable yet."""
        digest = hmac.digest(self.secret, routing(payer, member_id).encode(), hashlib.sha256)
        bucket = int.from_bytes(digest[:8], "big") % BUCKETS
        return f"{self.prefix}{{{payer}:b{bucket:04}}}:mark:{digest[8:24].hex()}"

    @property
    def sequence(self) -> str:
        """Name the number of the last push."""
        return f"{self.prefix}{{push}}:sequence"

    @property
    def visible(self) -> str:
        """Name the number up to which all pushes are searchable."""
        return f"{self.prefix}{{push}}:visible"
