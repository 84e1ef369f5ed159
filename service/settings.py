"""All settings, read from the environment with the prefix AUTHMATCH_."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

PACKAGE = Path(__file__).resolve().parent
PACKAGED = PACKAGE / "_data"
DEVELOPMENT_SECRET = "authmatch-development-only"  # noqa: S105 - refused outside of loopback
SECRET_LENGTH_MIN = 20
"""Of the surrogate key, and of a key of the settings, outside of loopback."""

KEY_NAME = r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}$"
ISSUER_URL = r"^(https://[^\s@]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^\s@]*)?)$"
"""An issuer is asked by TLS, but on this machine."""
ORIGIN = r"^(https://[^\s@/?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)$"
ENVELOPE_ID = r"^[0-9A-Za-z][0-9A-Za-z \-._]{1,14}$"
Payer = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,64}$")]


def shipped(name: str) -> Path:
    """A folder of the wheel, or of the checkout."""
    packaged = PACKAGED / name
    return packaged if packaged.is_dir() else PACKAGE.parent / name


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_address(address: str, schemes: set[str]) -> str:
    """The address of an engine, without blanks around it; raises ValueError, without its values.

    It has nothing behind a question mark: by that a client could be told to verify nothing.
    """
    address = address.strip()
    try:
        parts = urlsplit(address)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or parts.scheme not in schemes or any(each.isspace() for each in address):
        shown = " or ".join(f"{each}://" for each in sorted(schemes))
        raise ValueError(f"an address is {shown} with host and port")
    if parts.query or parts.fragment or "?" in address:
        raise ValueError("an address has no options behind '?': each is a setting of its own")
    return address


def _addresses(addresses: str | None, schemes: set[str]) -> str | None:
    """The addresses of an engine, with commas between them; raises ValueError."""
    if not addresses:
        return None
    each = [check_address(one, schemes) for one in addresses.split(",")]
    if len({one.partition(":")[0] for one in each}) > 1:
        raise ValueError(f"all addresses are {max(schemes)}, or none")
    return ",".join(each)


class StartKey(BaseModel):
    """What a key that is set at the start is for; without a role it has every scope."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    payers: Annotated[tuple[Payer, ...], Field(min_length=1)]
    role: str | None = None
    name: Annotated[str, StringConstraints(pattern=KEY_NAME)] = "environment"


class NoSecrets(Exception):
    """The folder of secrets that is named is not there."""


class TradingPartner(BaseModel):
    """Where requests to a payer go and how: by HTTP (``url``), or as files of a ``folder``.

    Pauses are seconds, terms calendar days; ``inquire_s`` 0 asks on demand alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["x12", "fhir"] = "x12"
    url: Annotated[str, StringConstraints(pattern=ISSUER_URL)] | None = None
    folder: Path | None = None
    token: SecretStr | None = None
    sender: Annotated[str, StringConstraints(pattern=ENVELOPE_ID)] = "AUTHMATCH"
    sender_qualifier: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2}$")] = "ZZ"
    receiver: Annotated[str, StringConstraints(pattern=ENVELOPE_ID)]
    receiver_qualifier: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2}$")] = "ZZ"
    payer_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z\-]{2,80}$")]
    payer_name: Annotated[str, StringConstraints(max_length=60, pattern=r"^[^*:^~]*$")] = ""
    is_test: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 20.0
    retry_s: Annotated[float, Field(gt=0, le=86400)] = 300.0
    inquire_s: Annotated[float, Field(ge=0, le=86400 * 30)] = 3600.0
    follow_up_days: Annotated[int, Field(ge=1, le=365)] = 7
    expedited_follow_up_days: Annotated[int, Field(ge=1, le=365)] = 3
    appeal_days: Annotated[int, Field(ge=1, le=3650)] = 60
    when_granted: Literal["offer", "attach"] = "offer"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.folder is None):
            raise ValueError("a trading partner has a url or a folder")
        return self


class Settings(BaseSettings):
    """Where the engines are, which files are used, who may call, and the limits."""

    model_config = SettingsConfigDict(env_prefix="AUTHMATCH_", extra="ignore", frozen=True)

    elasticsearch_url: str | None = None
    elasticsearch_api_key: SecretStr | None = None
    elasticsearch_username: str | None = None
    elasticsearch_password: SecretStr | None = None
    elasticsearch_ca_certs: str | None = None
    elasticsearch_client_cert: str | None = None
    elasticsearch_client_key: str | None = None
    elasticsearch_timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    redis_url: Annotated[str | None, Field(repr=False)] = None
    redis_username: str | None = None
    redis_password: SecretStr | None = None
    redis_ca_certs: str | None = None
    redis_client_cert: str | None = None
    redis_client_key: str | None = None
    redis_cluster: bool = False
    redis_replicas: Annotated[int, Field(ge=0, le=5)] = 0
    allow_weak_redis: bool = False

    index_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9\-]{0,40}$")] = ""
    index_shards: Annotated[int, Field(ge=1, le=1024)] = 1
    queries_dir: Path = Field(default_factory=lambda: shipped("queries"))
    es_templates_dir: Path = Field(default_factory=lambda: shipped("es_templates"))

    api_keys: dict[SecretStr, Payer | StartKey] = Field(
        default_factory=dict, description="API key to payer, or to what it is for."
    )
    open_profile: bool = False
    roles_file: Path = Field(default_factory=lambda: shipped("access") / "roles.yaml")
    token_issuer: str | None = None
    token_jwks_url: Annotated[str, StringConstraints(pattern=ISSUER_URL)] | None = None
    token_audience: str | None = None
    token_payers: dict[str, Payer] = Field(default_factory=dict)
    token_payer_claim: str = "payer"  # noqa: S105 - a name
    token_scope_claim: str = "scope"  # noqa: S105 - a name
    tls_cert: str | None = None
    tls_key: str | None = None
    public_url: Annotated[str, StringConstraints(pattern=ORIGIN)] | None = None
    signin_authorization_url: Annotated[str, StringConstraints(pattern=ISSUER_URL)] | None = None
    signin_token_url: Annotated[str, StringConstraints(pattern=ISSUER_URL)] | None = None
    signin_client_id: str | None = None
    signin_client_secret: SecretStr | None = None
    signin_scope: str = "openid"
    session_idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 30
    session_hours: Annotated[int, Field(ge=1, le=24 * 7)] = 8
    default_payer: Payer = "demo"
    time_zone: str = "UTC"
    payer_aliases: dict[Payer, list[str]] = Field(
        default_factory=dict,
        description="Names of a payer in X12; messages for another one are refused.",
    )
    trading_partners: dict[Payer, TradingPartner] = Field(
        default_factory=dict, description="Where requests for authorization are sent, by payer."
    )
    dependent_member_id: Literal["subscriber", "family"] = "subscriber"
    member_id_form: Literal["plain", "as_sent"] = "plain"
    x12_claim_id: Literal["claim", "provider"] = "claim"
    x12_undated_grants: Literal["refuse", "requested", "pended"] = "refuse"
    x12_charge_ids: Literal["none", "line-control-number"] = "none"
    x12_broken_sets: Literal["refuse", "adjudicate"] = "refuse"
    x12_undated_estimates: Literal["today", "refuse"] = "today"
    seal_keys_file: Path | None = None
    seal_keys_command: str | None = None
    documents_dir: Path | None = None
    document_bytes_max: Annotated[int, Field(ge=1024)] = 20 * 1024 * 1024
    document_scan_command: str | None = None
    document_scan_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    surrogate_key: SecretStr = SecretStr(DEVELOPMENT_SECRET)

    limit_rate: Annotated[float, Field(ge=0)] = 1000.0
    limit_at_once: Annotated[int, Field(ge=0)] = 128
    limit_failures: Annotated[float, Field(ge=0)] = 20.0
    connections_max: Annotated[int, Field(ge=10)] = 800
    header_bytes_max: Annotated[int, Field(ge=4096)] = 32 * 1024
    client_patience_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    hosts: list[str] = Field(default_factory=list)
    body_bytes_max: Annotated[int, Field(ge=1024)] = 8 * 1024 * 1024
    line_bytes_max: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024
    stream_bytes_max: Annotated[int, Field(ge=1024)] = 256 * 1024 * 1024
    stream_lines_max: Annotated[int, Field(ge=1)] = 100_000
    bulk_batch: Annotated[int, Field(ge=1, le=5000)] = 500
    outbox_bytes_max: Annotated[int, Field(ge=1024)] = 256 * 1024 * 1024
    dead_letters_bytes_max: Annotated[int, Field(ge=1024)] = 1024 * 1024 * 1024
    dead_letter_bytes_max: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024
    batch_claims_at_once: Annotated[int, Field(ge=1, le=256)] = 8
    fhir_check: bool = True
    live_check_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    rest_days: Annotated[int, Field(ge=0, le=36500)] = 60
    kept_matches_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    kept_days: Annotated[int, Field(ge=1, le=36500)] = 400
    study_seconds_max: Annotated[float, Field(gt=0, le=86400)] = 900.0
    ledger_sweep_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    alerts_send_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    alerts_smtp_url: SecretStr | None = None
    alerts_mail_from: str | None = None
    alerts_webhook_hosts: list[str] = Field(default_factory=list)
    alerts_webhook_private: bool = False
    alerts_webhook_secret: SecretStr | None = None
    alerts_look_s: Annotated[float, Field(ge=0, le=86400)] = 3600.0
    late_authorizations: Literal["worklist", "automatic", "off"] = "worklist"
    log_level: str = "INFO"
    otlp_url: str | None = None

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: Any, **named: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, the environment, and the files of a folder of secrets; raises NoSecrets."""
        folder = os.environ.get("AUTHMATCH_SECRETS_DIR")
        if not folder:
            return named["init_settings"], named["env_settings"]
        if not Path(folder).is_dir():
            raise NoSecrets(f"AUTHMATCH_SECRETS_DIR: {folder} is no folder")
        files = SecretsSettingsSource(settings_cls, secrets_dir=folder)
        return named["init_settings"], named["env_settings"], files

    @field_validator("elasticsearch_url")
    @classmethod
    def _addresses_of_nodes(cls, addresses: str | None) -> str | None:
        if addresses and "@" in addresses:
            raise ValueError(
                "no user in an address: AUTHMATCH_ELASTICSEARCH_USERNAME and ..._PASSWORD"
            )
        return _addresses(addresses, {"http", "https"})

    @field_validator("redis_url")
    @classmethod
    def _addresses_of_redis(cls, addresses: str | None) -> str | None:
        return _addresses(addresses, {"redis", "rediss"})

    @model_validator(mode="after")
    def _one_redis_or_a_cluster(self) -> "Settings":
        if len(self.redis_urls) > 1 and not self.redis_cluster:
            raise ValueError(
                "AUTHMATCH_REDIS_URL: several addresses are those of a Redis Cluster: set"
                " AUTHMATCH_REDIS_CLUSTER"
            )
        return self

    @field_validator("otlp_url")
    @classmethod
    def _address_of_collector(cls, address: str | None) -> str | None:
        return check_address(address, {"http", "https"}) if address else None

    @field_validator("alerts_smtp_url")
    @classmethod
    def _address_of_mail_server(cls, address: SecretStr | None) -> SecretStr | None:
        if address is None or not address.get_secret_value():
            return None
        return SecretStr(check_address(address.get_secret_value(), {"smtp", "smtps"}))

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, LookupError) as error:
            raise ValueError("a time zone is a name such as America/New_York") from error
        return name

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, level: str) -> str:
        if level.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("a log level is DEBUG, INFO, WARNING or ERROR")
        return level.upper()

    @field_validator("signin_client_id")
    @classmethod
    def _tells_tokens_apart(cls, client_id: str | None, info: ValidationInfo) -> str | None:
        if client_id and client_id == info.data.get("token_audience"):
            raise ValueError("it must be another than the audience: an id token gives no access")
        return client_id

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days of decision clocks begin and end."""
        return ZoneInfo(self.time_zone)

    @property
    def elasticsearch_urls(self) -> tuple[str, ...]:
        """The addresses of all nodes that are named."""
        return tuple(self.elasticsearch_url.split(",")) if self.elasticsearch_url else ()

    @property
    def redis_urls(self) -> tuple[str, ...]:
        """The addresses of Redis: of a cluster those of all nodes that are named."""
        return tuple(self.redis_url.split(",")) if self.redis_url else ()

    @property
    def is_open(self) -> bool:
        """Whether calls need no key: for a machine of one's own only."""
        return self.open_profile and not self.api_keys

    @property
    def start_keys(self) -> dict[SecretStr, StartKey]:
        """The keys that are set at the start, each with what it is for."""
        return {
            key: StartKey(payers=(start,)) if isinstance(start, str) else start
            for key, start in self.api_keys.items()
        }

    @property
    def payers(self) -> tuple[str, ...]:
        """All payers that may call."""
        named = (payer for start in self.start_keys.values() for payer in start.payers)
        return tuple(dict.fromkeys((*named, *self.token_payers.values(), self.default_payer)))

    @property
    def weak_secret(self) -> str | None:
        """Why the key that hides member ids in Redis is guessed easily; None where it is not."""
        secret = self.surrogate_key.get_secret_value()
        if secret == DEVELOPMENT_SECRET:
            return "the one of development"
        return "short" if len(secret) < SECRET_LENGTH_MIN else None
