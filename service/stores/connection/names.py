"""How indices and documents are named."""

from dataclasses import dataclass


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
    def worklist(self) -> str:
        """Claims that are offered to examiners for re-adjudication."""
        return f"{self.prefix}worklist"

    @property
    def accounting(self) -> str:
        """What must be known of the accumulators while Redis is empty."""
        return f"{self.prefix}accounting"

    @property
    def archive(self) -> str:
        """Claims and accounts that are at rest: Redis does not hold them any more."""
        return f"{self.prefix}archive"

    @property
    def dead_letters(self) -> str:
        """What could not be taken, until somebody sees to it."""
        return f"{self.prefix}dead-letters"

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


def routing(payer: str, member_id: str) -> str:
    """Name the route to a member's authorizations: one shard holds them all.

    A search names several routes with commas between them, so there is none in it.
    """
    return f"{payer}|{member_id}".replace(",", "|")


def history_id(payer: str, authorization_id: str, version: int) -> str:
    """Name one version of an authorization."""
    return f"{payer}|{authorization_id}|{version}"


def ledger_id(payer: str, entry_id: str) -> str:
    """Name the document of a ledger entry: written once, however often it is projected."""
    return f"{payer}|{entry_id}"
