"""All who ask whether the service is ready are answered by one look at the engines."""

import asyncio

import httpx

from service.api.app import create_app
from tests.ground import Ground, shipped_rules
from tests.proxy import Proxy
from tests.serving import keys_of

ASKING = 40


def test_a_crowd_asks_the_engines_once(ground: Ground) -> None:
    """While one look is under way; the next one looks anew."""
    proxy = Proxy(str(ground.settings.elasticsearch_url))
    proxy.start()
    changes = {"elasticsearch_url": proxy.url, "api_keys": keys_of({"key": "payer-ready"})}
    app = create_app(ground.settings.model_copy(update=changes), shipped_rules())

    async def scenario() -> tuple[int, int, int]:
        async with app.router.lifespan_context(app):
            way = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=way, base_url="http://x") as client:
                one = await looks(client, 1)
                crowd = await looks(client, ASKING)
                return one, crowd, await looks(client, 1)

    async def looks(client: httpx.AsyncClient, count: int) -> int:
        with proxy.rewriting(lambda body: body):
            answers = await asyncio.gather(*(client.get("/health/ready") for _ in range(count)))
            assert {each.status_code for each in answers} == {200}
            return sum(b"authorizations" in each for each in proxy.requests)

    try:
        one, crowd, after = asyncio.run(scenario())
    finally:
        proxy.stop()
    assert one >= 1
    assert crowd < ASKING / 4 * one
    assert after >= 1
