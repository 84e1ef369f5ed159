"""A claim that was refused has taken nothing: not its id, not for its member."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.stores.connection import breaker
from tests.api.bodies import claim_body
from tests.ground import Ground
from tests.proxy import Mode, Proxy
from tests.serving import client_of, keys_of, serving

RIGHT, TYPED_WRONG = "MRIGHT", "MTYPO"
UNKNOWN = [{"line": 1, "authorizations": [{"authorization_id": "NOBODYS"}]}]


@pytest.fixture(scope="module")
def proxies(ground: Ground) -> Iterator[tuple[Proxy, Proxy]]:
    """What stands before both engines."""
    settings = ground.settings
    made = Proxy(str(settings.elasticsearch_url)), Proxy(str(settings.redis_url))
    for each in made:
        each.start()
    yield made
    for each in made:
        each.stop()


@pytest.fixture(scope="module")
def client(ground: Ground, proxies: tuple[Proxy, Proxy]) -> Iterator[httpx.Client]:
    """A service behind them."""
    changes = {
        "elasticsearch_url": proxies[0].url,
        "redis_url": proxies[1].url,
        "elasticsearch_timeout_s": 1,
        "api_keys": keys_of({"key": "payer-refused"}),
    }
    settings = ground.settings.model_copy(update=changes)
    with (
        pytest.MonkeyPatch.context() as patch,
        serving(settings) as url,
        client_of(url, "key") as it,
    ):
        patch.setattr(breaker, "OPEN_S", 0.1)
        yield it


@pytest.mark.parametrize(
    ("change", "away", "mode", "status"),
    [
        ({"selections": UNKNOWN}, None, "pass", 422),
        ({"version": 2**53}, None, "pass", 422),
        ({"version": 2**53 - 1}, None, "pass", 422),
        ({"by": ""}, None, "pass", 422),
        ({}, 0, "refuse", 503),
        ({}, 0, "cut", 503),
        ({}, 1, "refuse", 503),
    ],
)
def test_the_id_of_a_refused_claim_is_free(
    client: httpx.Client,
    proxies: tuple[Proxy, Proxy],
    change: dict[str, Any],
    away: int | None,
    mode: Mode,
    status: int,
) -> None:
    """Refused for one member, it is adjudicated for the right one, and has no history before."""
    claim_id = f"C-{uuid.uuid4().hex[:8]}"
    wrong = claim_body(claim_id=claim_id, member={"id": TYPED_WRONG}) | change
    if away is None:
        refused = client.post("/adjudicate", json=wrong)
    else:
        with proxies[away].failing(mode):
            refused = client.post("/adjudicate", json=wrong)
    assert refused.status_code == status, refused.text
    assert client.get(f"/claims/{claim_id}").status_code == 404
    assert client.get(f"/claims/{claim_id}/history").status_code == 404
    done = client.post("/adjudicate", json=claim_body(claim_id=claim_id, member={"id": RIGHT}))
    assert done.status_code == 200, done.text
    assert not done.json()["replayed"]
    assert client.get(f"/claims/{claim_id}").status_code == 200
