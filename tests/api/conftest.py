"""A real server on loopback, and a caller with a payer of its own for each test."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from tests.ground import Ground
from tests.ground import ground as ground
from tests.ground import own as own
from tests.ground import payer as payer
from tests.serving import client_of, keys_of, serving

KEYS = 800
BODY_BYTES_MAX = 200_000
LINE_BYTES_MAX = 50_000


@dataclass
class Service:
    """A running service; keys of payers that no test has used yet are taken from the end."""

    url: str
    keys: list[str] = field(default_factory=lambda: [f"key-{each}" for each in range(KEYS)])

    def caller(self) -> httpx.Client:
        """A client with the key of a fresh payer."""
        return client_of(self.url, self.keys.pop())


@pytest.fixture(scope="package")
def service(ground: Ground) -> Iterator[Service]:
    """The service on the indices of this run, with small limits."""
    settings = ground.settings.model_copy(
        update={
            "api_keys": keys_of(
                {f"key-{each}": f"payer-{each}" for each in range(KEYS)}
                | {"key-named": "payer-named"}
            ),
            "payer_aliases": {"payer-named": ["EP100"]},
            "body_bytes_max": BODY_BYTES_MAX,
            "line_bytes_max": LINE_BYTES_MAX,
            "bulk_batch": 3,
            "batch_claims_at_once": 4,
            # There are many payers: what is done for each now and then is not asked for.
            "ledger_sweep_s": 3600,
            "rest_days": 0,
            "alerts_look_s": 0,
        }
    )
    with serving(settings) as url:
        yield Service(url)


@pytest.fixture
def caller(service: Service) -> Iterator[httpx.Client]:
    """A client of a payer that no other test has."""
    with service.caller() as client:
        yield client
