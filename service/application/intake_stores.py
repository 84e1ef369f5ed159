"""All rooms that take in what upstream systems send, opened together."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from service.stores.authorizations.reading import AuthorizationReading
from service.stores.authorizations.store import AuthorizationStore
from service.stores.connection.breaker import Breaker
from service.stores.connection.clients import ElasticsearchClient, RedisClient
from service.stores.connection.durability import Durability
from service.stores.connection.names import IndexNames
from service.stores.intake.courier import Courier
from service.stores.intake.dead_letters import DeadLetters
from service.stores.intake.delivery import Delivery
from service.stores.intake.entrance import Entrance
from service.stores.intake.listing import LetterListing
from service.stores.intake.outbox import Outbox
from service.stores.members.who import Members


@dataclass(frozen=True, kw_only=True)
class IntakeStores:
    """The way in, the outbox with who delivers it, and what could not be taken.

    Without slots, so that all stores together may be these and those of the accounting.
    """

    authorizations: AuthorizationStore
    reading: AuthorizationReading
    entrance: Entrance
    outbox: Outbox
    courier: Courier
    letters: DeadLetters
    listing: LetterListing

    def by_name(self) -> dict[str, Any]:
        """Give them by their names, for a dataclass that has them too."""
        return {each.name: getattr(self, each.name) for each in fields(IntakeStores)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """What these rooms share with the others."""

    elasticsearch: ElasticsearchClient
    redis: RedisClient
    indices: IndexNames
    members: Members
    durability: Durability


def open_intake(
    clients: Clients,
    authorizations: AuthorizationStore,
    *,
    payers: Iterable[str],
    outbox_bytes_max: int,
) -> IntakeStores:
    """Open them on these clients; a match has what waits delivered from now on."""
    members, visibility, breaker = clients.members, clients.members.visibility, Breaker()
    keys = visibility.keys
    reading = AuthorizationReading(clients.elasticsearch, clients.indices, visibility, members)
    outbox = Outbox(clients.redis, keys, clients.durability, bytes_max=outbox_bytes_max)
    letters = DeadLetters(clients.elasticsearch, clients.indices, outbox, breaker, keys.secret)
    entrance = Entrance(authorizations, reading, outbox, breaker)
    courier = Courier(outbox, Delivery(outbox, entrance, letters), payers)
    visibility.deliver_by(courier)
    return IntakeStores(
        authorizations=authorizations,
        reading=reading,
        entrance=entrance,
        outbox=outbox,
        courier=courier,
        letters=letters,
        listing=LetterListing(clients.elasticsearch, clients.indices),
    )
