"""Everything about alerts that speaks to an engine, in one value."""

from collections.abc import Callable, Collection

from elasticsearch import AsyncElasticsearch

from service.rules.book import RuleBook
from service.settings import Settings
from service.stores.alerts._evaluating import AlertLook, Balances, Evaluating
from service.stores.alerts.kept import Alerts
from service.stores.authorizations.reading import AuthorizationReading
from service.stores.connection.clients import RedisClient
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames


class AlertStores:
    """What keeps alerts, and what finds them."""

    def __init__(  # noqa: PLR0913 - what it speaks to
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        keys: KeyNames,
        reading: AuthorizationReading,
        balances: Balances,
        rules: Callable[[str], RuleBook],
        payers: Collection[str],
        settings: Settings,
    ) -> None:
        """Open them for these payers; nothing is asked before it is needed."""
        self.kept = Alerts(elasticsearch, indices)
        self.evaluating = Evaluating(self.kept, reading, balances, rules, settings.zone)
        every_s = settings.alerts_look_s
        self.look = AlertLook(redis, keys, self.evaluating, payers, every_s=every_s)
