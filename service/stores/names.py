"""How indices, documents and keys are named."""

import hashlib
import hmac
from dataclasses import dataclass, field

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

    def ledger(self, month: str) -> str:
        """The movements of units of one month, such as 2026.04."""
        return f"{self.prefix}ledger-{month}"

    @property
    def ledgers(self) -> str:
        """All months of the ledger; there may be none yet."""
        return f"{self.prefix}ledger-*"

    @property
    def accounting(self) -> str:
        """What must be known of the accumulators while Redis is empty."""
        return f"{self.prefix}accounting"

    def template(self, name: str) -> str:
        """The name under which a template is installed."""
        return f"authmatch-{self.prefix}{name}"


def document_id(payer: str, authorization_id: str) -> str:
    """Name a document; the same in the index and in the locator."""
    return f"{payer}|{authorization_id}"


def routing(payer: str, member_id: str) -> str:
    """Name the route to a member's authorizations: one shard holds them all."""
    return f"{payer}|{member_id}"


def history_id(payer: str, authorization_id: str, version: int) -> str:
    """Name one version of an authorization."""
    return f"{payer}|{authorization_id}|{version}"


def ledger_routing(payer: str, bucket: int) -> str:
    """Name the route to a bucket's ledger."""
    return f"{payer}|{bucket:04}"


def ledger_id(payer: str, bucket: int, entry_id: str) -> str:
    """Name the document of a ledger entry: written once, however often it is projected."""
    return f"{ledger_routing(payer, bucket)}|{entry_id}"


@dataclass(frozen=True, slots=True)
class BucketKeys:
    """The keys of one bucket of a payer: all in one slot, so that a script may touch them at once.

    Claims and authorizations stand in them as keyed hashes.
    """

    start: str
    payer: str
    number: int
    secret: bytes = field(repr=False)

    @property
    def ledger(self) -> str:
        """Name the stream of movements that were not projected yet."""
        return f"{self.start}:ledger"

    @property
    def hold(self) -> str:
        """Name the mark that keeps the stream from being trimmed, while somebody reads it."""
        return f"{self.start}:hold"

    def claim(self, claim_id: str) -> str:
        """Name what a claim holds."""
        return f"{self.start}:claim:{self._surrogate(claim_id)}"

    def accounts(self, authorization_id: str) -> str:
        """Name the balances of an authorization."""
        return f"{self.start}:accounts:{self._surrogate(authorization_id)}"

    def tokens(self, authorization_id: str) -> str:
        """Name the visits and days of an authorization that somebody holds."""
        return f"{self.start}:tokens:{self._surrogate(authorization_id)}"

    def _surrogate(self, identifier: str) -> str:
        return _digest(self.secret, f"{self.payer}|{identifier}")[:16].hex()


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The names of Redis keys; a member stands in them as a keyed hash, never by id."""

    prefix: str
    secret: bytes = field(repr=False)

    def mark(self, payer: str, member_id: str) -> str:
        """Name the mark of a member whose pushes may not be searchable yet."""
        digest = _digest(self.secret, routing(payer, member_id))
        return f"{self.bucket(payer, _bucket(digest)).start}:mark:{digest[8:24].hex()}"

    def bucket_of(self, payer: str, member_id: str) -> BucketKeys:
        """Name the keys of the bucket in which a member's units are kept."""
        return self.bucket(payer, _bucket(_digest(self.secret, routing(payer, member_id))))

    def bucket(self, payer: str, number: int) -> BucketKeys:
        """Name the keys of a bucket."""
        start = f"{self.prefix}{{{payer}:b{number:04}}}"
        return BucketKeys(start, payer, number, self.secret)

    def owner(self, payer: str, claim_id: str) -> str:
        """Name where it is said under which member a claim is kept."""
        digest = _digest(self.secret, f"{payer}|{claim_id}")
        return f"{self.prefix}{{{payer}:c{_bucket(digest):04}}}:owner:{digest[8:24].hex()}"

    def owned_by(self, payer: str, member_id: str) -> str:
        """Say under which member, and in which bucket, without naming the member."""
        digest = _digest(self.secret, routing(payer, member_id))
        return f"{_bucket(digest)}:{digest[8:24].hex()}"

    @property
    def epoch(self) -> str:
        """Name the mark that tells these accumulators from an empty Redis."""
        return f"{self.prefix}{{ledger}}:epoch"

    @property
    def fingerprint(self) -> str:
        """Tell this secret from another one, without telling it: another one names other keys."""
        return _digest(self.secret, "epoch")[:8].hex()

    @property
    def sweep(self) -> str:
        """Name the mark of the worker that last looked through all buckets."""
        return f"{self.prefix}{{ledger}}:sweep"

    @property
    def sequence(self) -> str:
        """Name the number of the last push."""
        return f"{self.prefix}{{push}}:sequence"

    @property
    def visible(self) -> str:
        """Name the number up to which all pushes are searchable."""
        return f"{self.prefix}{{push}}:visible"


def _digest(secret: bytes, text: str) -> bytes:
    return hmac.digest(secret, text.encode(), hashlib.sha256)


def _bucket(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big") % BUCKETS
