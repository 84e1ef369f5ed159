"""How the keys of Redis are named: members, claims and authorizations stand in them as hashes."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import orjson

from service.stores.connection.names import routing

BUCKETS = 1
"""All members of a payer share one bucket: one book a payer."""

MEMBERS_KEPT = 4096
"""The buckets of so many members are kept: a push and a claim ask for them several times."""


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

    def waiting(self, owner: str) -> str:
        """Name the claims of a member (as ``owned_by`` says it) that wait for authorizations."""
        return f"{self.start}:waiting:{owner.partition(':')[2]}"

    def mark(self, owner: str) -> str:
        """Name the mark of a member whose pushes may not be searchable yet."""
        return f"{self.start}:mark:{owner.partition(':')[2]}"

    def accounts(self, authorization_id: str) -> str:
        """Name the balances of an authorization."""
        return f"{self.start}:accounts:{self._surrogate(authorization_id)}"

    def tokens(self, authorization_id: str) -> str:
        """Name the visits and days of an authorization that somebody holds."""
        return f"{self.start}:tokens:{self._surrogate(authorization_id)}"

    def _surrogate(self, identifier: str) -> str:
        return _digest(self.secret, f"{self.payer}|{identifier}")[:16].hex()


UNKNOWN_MEMBER = "unknown"
"""Stands for the member of a withdrawal whose authorization could not be read."""


@dataclass(frozen=True, slots=True)
class OutboxKeys:
    """The keys of a payer's outbox: all in one slot. Members stand in them as keyed hashes."""

    start: str
    payer: str
    secret: bytes = field(repr=False)

    @property
    def queue(self) -> str:
        """Name the order in which it is delivered."""
        return f"{self.start}:queue"

    @property
    def bytes(self) -> str:
        """Name how much waits."""
        return f"{self.start}:bytes"

    @property
    def sequence(self) -> str:
        """Name the number of what was put last."""
        return f"{self.start}:sequence"

    @property
    def lease(self) -> str:
        """Name the mark of the worker that delivers."""
        return f"{self.start}:lease"

    @property
    def fault(self) -> str:
        """Name why nothing could be delivered the last time."""
        return f"{self.start}:fault"

    def entry(self, ticket: str) -> str:
        """Name what waits under a ticket."""
        return f"{self.start}:entry:{ticket}"

    def done(self, ticket: str) -> str:
        """Name what became of it."""
        return f"{self.start}:done:{ticket}"

    def queue_of(self, owner: str) -> str:
        """Name what waits of one owner: a member, ``UNKNOWN_MEMBER``, or the dead letters."""
        return f"{self.start}:of:{owner}"

    def owner(self, member_id: str | None) -> str:
        """Name a member without telling who it is."""
        if member_id is None:
            return UNKNOWN_MEMBER
        return _digest(self.secret, f"outbox|{routing(self.payer, member_id)}")[:16].hex()

    def ticket(self, *content: str | int) -> str:
        """Make a ticket that is the same for the same content, and that nobody can guess."""
        digest = _digest(self.secret, orjson.dumps([self.payer, *content]).decode())
        return base64.urlsafe_b64encode(digest[:24]).decode()


@dataclass(frozen=True, slots=True)
class LateKeys:
    """The keys of a payer's queue of members for whom an authorization arrived late: one slot."""

    start: str

    @property
    def due(self) -> str:
        """Name the members in the queue, by the time at which each is to be looked at."""
        return f"{self.start}:due"

    @property
    def passes(self) -> str:
        """Name how far the way through the claims of members is that was begun."""
        return f"{self.start}:passes"

    def arrived(self, owner: str) -> str:
        """Name the authorizations that arrived for a member (as ``owned_by`` says it)."""
        return f"{self.start}:arrived:{owner}"


Touch = Callable[[BucketKeys], None]
"""Is told that a bucket was written to, so that it is copied soon."""


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The names of Redis keys; a member stands in them as a keyed hash, never by id."""

    prefix: str
    secret: bytes = field(repr=False)

    def mark(self, payer: str, member_id: str) -> str:
        """Name the mark of a member whose pushes may not be searchable yet."""
        return self._of_member("mark", payer, member_id)

    def waiting(self, payer: str, member_id: str) -> str:
        """Name the claims of a member that wait for authorizations."""
        return self._of_member("waiting", payer, member_id)

    def _of_member(self, what: str, payer: str, member_id: str) -> str:
        digest = _member_digest(self.secret, routing(payer, member_id))
        return f"{self._start(payer, _bucket(digest))}:{what}:{digest[8:24].hex()}"

    def bucket_of(self, payer: str, member_id: str) -> BucketKeys:
        """Name the keys of the bucket in which a member's units are kept."""
        return self.bucket(payer, _bucket(_member_digest(self.secret, routing(payer, member_id))))

    def bucket(self, payer: str, number: int) -> BucketKeys:
        """Name the keys of a bucket."""
        return BucketKeys(self._start(payer, number), payer, number, self.secret)

    def _start(self, payer: str, number: int) -> str:
        return f"{self.of_payer(payer)}:b{number:04}"

    def of_payer(self, payer: str) -> str:
        """Begin all keys of a payer: they are in one slot."""
        return f"{self.prefix}{{{payer}}}"

    def outbox(self, payer: str) -> OutboxKeys:
        """Name the keys of a payer's outbox."""
        return OutboxKeys(f"{self.of_payer(payer)}:outbox", payer, self.secret)

    def late(self, payer: str) -> LateKeys:
        """Name the keys of a payer's queue of late authorizations."""
        return LateKeys(f"{self.of_payer(payer)}:late")

    def merged(self, payer: str) -> str:
        """Name where all merged members of a payer are, by what ``merged_field`` gives."""
        return f"{self.of_payer(payer)}:merged"

    def merged_field(self, payer: str, member_id: str) -> str:
        """Name a member among the merged ones, without telling who it is."""
        return _digest(self.secret, routing(payer, member_id))[8:24].hex()

    def owner(self, payer: str, claim_id: str) -> str:
        """Name where it is said under which member a claim is kept."""
        digest = _digest(self.secret, f"{payer}|{claim_id}")
        return f"{self.of_payer(payer)}:owner:{digest[8:24].hex()}"

    def owned_by(self, payer: str, member_id: str) -> str:
        """Say under which member, and in which bucket, without naming the member."""
        digest = _digest(self.secret, routing(payer, member_id))
        return f"{_bucket(digest)}:{digest[8:24].hex()}"

    def control_numbers(self, payer: str) -> str:
        """Name the last number of an interchange that was written for a payer."""
        return f"{self.of_payer(payer)}:x12:control"

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


@lru_cache(MEMBERS_KEPT)
def _member_digest(secret: bytes, route: str) -> bytes:
    return _digest(secret, route)


def _bucket(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big") % BUCKETS
