"""Everything about alerts that speaks to an engine, in one value."""

from collections.abc import Callable, Collection

from elasticsearch import AsyncElasticsearch

from service.notices.post import post_of
from service.rules.book import RuleBook
from service.settings import Settings
from service.stores.alerts._choices import Choices
from service.stores.alerts._evaluating import (
    AlertLook,
    AnsweredRequests,
    Balances,
    Confirm,
    Evaluating,
)
from service.stores.alerts._notices import Notices
from service.stores.alerts._sending import AlertSending
from service.stores.alerts.kept import Alerts
from service.stores.authorizations.reading import AuthorizationReading
from service.stores.connection.clients import RedisClient
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.documents.kept import Documents


class AlertStores:
    """What keeps alerts, what finds them, who wants them, and what sends them."""

    def __init__(  # noqa: PLR0913 - what it speaks to
        self,
        elasticsearch: AsyncElasticsearch,
        redis: RedisClient,
        indices: IndexNames,
        keys: KeyNames,
        reading: AuthorizationReading,
        balances: Balances,
        confirm: Confirm,
        rules: Callable[[str], RuleBook],
        payers: Collection[str],
        settings: Settings,
        documents: Documents,
        requests: AnsweredRequests,
    ) -> None:
        """Open them for these payers; nothing is asked before it is needed."""
        self.kept = Alerts(elasticsearch, indices)
        self.evaluating = Evaluating(
            self.kept, reading, balances, confirm, documents, requests, rules, settings.zone
        )
        self.look = AlertLook(redis, keys, self.evaluating, payers, every_s=settings.alerts_look_s)
        self.post = post_of(settings)
        self.choices = Choices(elasticsearch, indices)
        self.sending = AlertSending(
            redis,
            keys,
            (self.kept, self.choices, Notices(elasticsearch, indices)),
            self.evaluating,
            payers,
            self.post,
            every_s=settings.alerts_send_s,
        )
