"""How indices and documents are named."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_ROUTES_CHARACTERS_MAX = 2_000
"""Elasticsearch refuses an address of more than 4,096 bytes."""


class Name:
    """The name of an index or a key: the ``prefix`` of whoever has it, and an ending of its own."""

    def __init__(self, ending: str) -> None:
        self._ending = ending

    def __get__(self, owner: Any, _: object = None) -> str:
        """Put the two together."""
        return f"{owner.prefix}{self._ending}"


@dataclass(frozen=True, slots=True)
class IndexNames:
    """The names of all indices, behind an optional prefix."""

    prefix: str = ""

    authorizations = Name("authorizations")
    """The alias of the current versions."""

    def generation(self, number: int) -> str:
        """The index behind the alias, one for each rebuild."""
        return f"{self.authorizations}-v{number}"

    locator = Name("authorization-locator")
    """Where each authorization lives."""
    history = Name("authorization-history")
    """Replaced versions."""

    def ledger(self, month: str) -> str:
        """The movements of units of one month, such as 2026.04."""
        return f"{self.prefix}ledger-{month}"

    ledgers = Name("ledger-*")
    """All months of the ledger; there may be none yet."""

    def kept_claims(self, month: str) -> str:
        """The claims of one month that were matched and are kept."""
        return f"{self.prefix}kept-claims-{month}"

    all_kept_claims = Name("kept-claims-*")
    """All months of them; there may be none."""

    def studies(self, month: str) -> str:
        """The studies and reports that were made in one month."""
        return f"{self.prefix}studies-{month}"

    all_studies = Name("studies-*")
    """All months of them; there may be none."""

    def audit(self, month: str) -> str:
        """The rows of the audit trail of one month."""
        return f"{self.prefix}audit-{month}"

    audits = Name("audit-*")
    """All months of the audit trail; there may be none yet."""
    golden = Name("golden")
    """Labels of claim lines, and the claims that they are of."""
    worklist = Name("worklist")
    """Claims that are offered to examiners for re-adjudication."""
    alerts = Name("alerts")
    """What somebody should know of authorizations."""
    requests = Name("requests")
    """Requests for authorization, with all that became of them."""
    alert_choices = Name("alert-choices")
    """Who wants to be told of them, and how."""
    alert_notices = Name("alert-notices")
    """What is or was sent to whom."""
    documents = Name("documents")
    """Supporting documents of authorizations, without their content."""
    accounting = Name("accounting")
    """What must be known of the accumulators while Redis is empty."""
    archive = Name("archive")
    """Claims and accounts that are at rest: Redis does not hold them any more."""
    keys = Name("keys")
    """API keys, by their hashes."""
    rules = Name("rules")
    """Sets of rules, which are in force, drafts, and what was done with them."""
    dead_letters = Name("dead-letters")
    """What could not be taken, until somebody sees to it."""

    @property
    def plain(self) -> tuple[str, ...]:
        """Those that are one index each: neither generations nor months."""
        return (
            *(self.locator, self.history, self.accounting, self.archive, self.dead_letters),
            *(self.keys, self.rules, self.worklist, self.golden, self.requests, self.documents),
            *(self.alerts, self.alert_choices, self.alert_notices),
        )

    @property
    def written(self) -> tuple[str, ...]:
        """All that is written to, by names and wildcards; of generations only the live one."""
        months = self.ledgers, self.audits, self.all_kept_claims, self.all_studies
        return (self.authorizations, *self.plain, *months)

    def template(self, name: str) -> str:
        """The name under which a template is installed."""
        return f"authmatch-{self.prefix}{name}"


def document_id(payer: str, authorization_id: str) -> str:
    """Name a document; the same in the index and in the locator."""
    return f"{payer}|{authorization_id}"


def member_id(payer: str, member: str) -> str:
    """Name the record of a merged member; no document of an authorization begins like this."""
    return f"|{payer}|{member}"


def merges_id(payer: str) -> str:
    """Name the document that says whether a payer has merged members."""
    return f"|{payer}"


def number_id(payer: str, member: str, kind: str, number: str) -> str:
    """Name the document of what a person has by one number; no other begins like this."""
    return f"|{payer}|{member}|{kind}|{number}"


def routing(payer: str, member_id: str) -> str:
    """Name the route to a member's authorizations: one shard holds them all.

    A search names several routes with commas between them, so there is none in it.
    """
    return f"{payer}|{member_id}".replace(",", "|")


def routes(payer: str, members: Iterable[str]) -> str | None:
    """Name the routes to the authorizations of some members, as the address of a search does.

    None where there are too many for an address: then all shards are asked.
    """
    named = ",".join(dict.fromkeys(routing(payer, each) for each in members))
    return named if 0 < len(quote(named)) <= _ROUTES_CHARACTERS_MAX else None


def history_id(payer: str, authorization_id: str, version: int) -> str:
    """Name one version of an authorization."""
    return f"{payer}|{authorization_id}|{version}"


def ledger_id(payer: str, entry_id: str) -> str:
    """Name the document of a ledger entry: written once, however often it is projected."""
    return f"{payer}|{entry_id}"
