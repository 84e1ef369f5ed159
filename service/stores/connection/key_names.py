"""How the keys of Redis are named: members, claims and authorizations stand in them as hashes."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache

import orjson

from service.stores.connection.names import Name, routing

MEMBERS_KEPT = 4096
"""The names of so many members are kept: a push and a claim ask for them several times."""

SHELVES = 1024
"""What is compared with its ledger or made anew from it is taken in so many parts."""


@dataclass(frozen=True, slots=True)
class BookKeys:
    """The keys of a payer's book: all in one slot, so that a script may touch any of them at once.

    Claims, authorizations and members stand in them as keyed hashes.
    """

    prefix: str
    payer: str
    secret: bytes = field(repr=False)

    ledger = Name(":ledger")
    """The stream of movements that were not projected yet."""
    hold = Name(":hold")
    """The mark that keeps the stream from being trimmed, while somebody reads it."""
    archived = Name(":archived")
    """A bit for every claim and account that was ever at rest, on the pages of ``archived_bit``."""
    recalled = Name(":recalled")
    """What came back from the archive and may not have been moved since."""
    resting = Name(":resting")
    """The mark of the worker that last looked for what is at rest."""
    rested = Name(":rested")
    """How far the ledger was looked through for what is at rest."""

    alerts = Name(":alerts")
    """The mark of the worker that last looked for alerts of days."""
    epoch = Name(":epoch")
    """The mark that tells the book from one that was lost, and the server that it was whole on."""
    probe = Name(":probe")
    """What is written for a moment to see whether anything can be."""

    trail = Name(":trail")
    """The stream of rows of the audit trail that were not projected yet."""
    trail_head = Name(":trail:head")
    """How far the audit trail goes."""

    def claim(self, claim_id: str) -> str:
        """Name what a claim holds."""
        return f"{self.prefix}:claim:{self.surrogate(claim_id)}"

    def accounts(self, authorization_id: str) -> str:
        """Name the balances of an authorization."""
        return f"{self.prefix}:accounts:{self.surrogate(authorization_id)}"

    def tokens(self, authorization_id: str) -> str:
        """Name the visits and days of an authorization that somebody holds."""
        return f"{self.prefix}:tokens:{self.surrogate(authorization_id)}"

    def waiting(self, owner: str) -> str:
        """Name the claims of a member (as ``owner`` says it) that wait for authorizations."""
        return f"{self.prefix}:waiting:{owner}"

    def mark(self, owner: str) -> str:
        """Name the mark of a member whose pushes may not be searchable yet."""
        return f"{self.prefix}:mark:{owner}"

    def archived_bit(self, key: str) -> tuple[str, int]:
        """Page and bit of what stands under a key: 4,096 pages of 2^14 bits, each there if needed.

        What was never at rest may share the bit.
        """
        return f"{self.archived}:{key[-7:-4]}", int(key[-4:], 16) >> 2

    @property
    def archived_pages(self) -> list[str]:
        """All pages that there may be."""
        return [f"{self.archived}:{page:03x}" for page in range(4096)]

    def owner(self, member_id: str) -> str:
        """A member as claims and keys name it, without telling who it is."""
        return _member_digest(self.secret, routing(self.payer, member_id))[:16].hex()

    def surrogate(self, identifier: str) -> str:
        """A claim or an authorization as keys name it."""
        return _digest(self.secret, f"{self.payer}|{identifier}")[:16].hex()


def shelf_of(surrogate: str) -> int:
    """The shelf on which something stands that keys name so."""
    return int(surrogate[:8], 16) % SHELVES


UNKNOWN_MEMBER = "unknown"
"""Stands for the member of a withdrawal whose authorization could not be read."""


@dataclass(frozen=True, slots=True)
class OutboxKeys:
    """The keys of a payer's outbox: all in one slot. Members stand in them as keyed hashes."""

    prefix: str
    payer: str
    secret: bytes = field(repr=False)

    queue = Name(":queue")
    """The order in which it is delivered."""
    bytes = Name(":bytes")
    """How much waits."""
    sequence = Name(":sequence")
    """The number of what was put last."""
    lease = Name(":lease")
    """The mark of the worker that delivers."""
    fault = Name(":fault")
    """Why nothing could be delivered the last time."""

    def entry(self, ticket: str) -> str:
        """Name what waits under a ticket."""
        return f"{self.prefix}:entry:{ticket}"

    def done(self, ticket: str) -> str:
        """Name what became of it."""
        return f"{self.prefix}:done:{ticket}"

    def queue_of(self, owner: str) -> str:
        """Name what waits of one owner: a member, ``UNKNOWN_MEMBER``, or the dead letters."""
        return f"{self.prefix}:of:{owner}"

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

    prefix: str

    due = Name(":due")
    """The members in the queue, by the time at which each is to be looked at."""
    passes = Name(":passes")
    """How far the way through the claims of members is that was begun."""

    def arrived(self, owner: str) -> str:
        """Name the authorizations that arrived for a member (as ``BookKeys.owner`` says it)."""
        return f"{self.prefix}:arrived:{owner}"


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The names of Redis keys; a member stands in them as a keyed hash, never by id."""

    prefix: str
    secret: bytes = field(repr=False)

    def book(self, payer: str) -> BookKeys:
        """Name the keys of a payer's book."""
        return BookKeys(self._start(payer), payer, self.secret)

    def _start(self, payer: str) -> str:
        return f"{self.prefix}{{{payer}}}"

    def outbox(self, payer: str) -> OutboxKeys:
        """Name the keys of a payer's outbox."""
        return OutboxKeys(f"{self._start(payer)}:outbox", payer, self.secret)

    def late(self, payer: str) -> LateKeys:
        """Name the keys of a payer's queue of late authorizations."""
        return LateKeys(f"{self._start(payer)}:late")

    def merged(self, payer: str) -> str:
        """Name where all merged members of a payer are, by what ``merged_field`` gives."""
        return f"{self._start(payer)}:merged"

    def merged_field(self, payer: str, member_id: str) -> str:
        """Name a member among the merged ones, without telling who it is."""
        return _digest(self.secret, routing(payer, member_id))[8:24].hex()

    def control_numbers(self, payer: str) -> str:
        """Name the last number of an interchange that was written for a payer."""
        return f"{self._start(payer)}:x12:control"

    def filters(self, payer: str, who: str) -> str:
        """Name the filters of the worklist that somebody saved, without telling who he is."""
        digest = _digest(self.secret, f"filters|{payer}|{who}")[:16].hex()
        return f"{self._start(payer)}:filters:{digest}"

    def trace(self, payer: str, request_id: str) -> str:
        """The trace number of a request: always the same one, and nobody else's."""
        return f"AM{_digest(self.secret, f'trace|{payer}|{request_id}')[:9].hex().upper()}"

    def usage(self, window: int) -> str:
        """Name what callers asked for in a window of some seconds."""
        return f"{self.prefix}{{usage}}:{window}"

    def caller_field(self, asker: tuple[str, str, frozenset[str]]) -> str:
        """Name a caller there, without telling who it is."""
        kind, name, payers = asker
        return _digest(self.secret, "|".join((kind, name, *sorted(payers))))[:16].hex()

    def session(self, kind: str, name: str) -> str:
        """Name a session, or what begins one, without its id; all are in one slot."""
        digest = _digest(self.secret, f"session|{kind}|{name}")[:16].hex()
        return f"{self.prefix}{{session}}:{kind}:{digest}"

    payers = Name("{payers}:known")
    """All payers that a worker ever began with."""

    @property
    def fingerprint(self) -> str:
        """Tell this secret from another one, without telling it: another one names other keys."""
        return _digest(self.secret, "epoch")[:8].hex()

    @property
    def trail_key(self) -> bytes:
        """The key that signs rows of the audit trail; no engine has it."""
        return _digest(self.secret, "trail")

    alert_sending = Name("{alerts}:sending")
    """The mark of the worker that last sent alerts to those who want them."""
    sweep = Name("{ledger}:sweep")
    """The mark of the worker that last looked through the books of all payers."""
    trail_sweep = Name("{trail}:sweep")
    """The mark of the worker that last looked through the trails of all payers."""
    sequence = Name("{push}:sequence")
    """The number of the last push."""
    visible = Name("{push}:visible")
    """The number up to which all pushes are searchable."""


def _digest(secret: bytes, text: str) -> bytes:
    return hmac.digest(secret, text.encode(), hashlib.sha256)


@lru_cache(MEMBERS_KEPT)
def _member_digest(secret: bytes, route: str) -> bytes:
    return _digest(secret, route)
