"""The ways that are configured for telling somebody, and what of a choice they do not take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.domain.alert_choice import Channel
from service.notices._mail import MailServer
from service.notices._webhook import Webhooks
from service.notices.notice import Notice
from service.settings import Settings

Send = Callable[[Notice, str], None]
"""Sends a notice to somebody, and returns when it was taken; raises NotTold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The ways, and the page to which a notice leads."""

    ways: Mapping[Channel, Send]
    page: str | None
    webhooks: Webhooks | None

    def problem_of(self, channel: Channel, target: str) -> str | None:
        """Why somebody cannot be told there; None where he can."""
        if channel not in self.ways:
            return f"there is no {channel} here: it is not configured"
        if channel == "webhook" and self.webhooks is not None:
            return self.webhooks.problem_of(target)
        return None


def post_of(settings: Settings) -> Post:
    """The ways that the settings give; one of which something is missing is none."""
    ways: dict[Channel, Send] = {}
    webhooks = None
    if settings.alerts_smtp_url and settings.alerts_mail_from:
        server = MailServer(settings.alerts_smtp_url.get_secret_value(), settings.alerts_mail_from)
        ways["email"] = server.send
    if settings.alerts_webhook_hosts and settings.alerts_webhook_secret:
        webhooks = Webhooks(
            hosts=frozenset(settings.alerts_webhook_hosts),
            secret=settings.alerts_webhook_secret.get_secret_value().encode(),
            is_private=settings.alerts_webhook_private,
        )
        ways["webhook"] = webhooks.send
    page = f"{settings.public_url}/workbench/alerts" if settings.public_url else None
    return Post(ways=ways, page=page, webhooks=webhooks)
