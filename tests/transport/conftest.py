"""Both engines as the containers have them: users, rights, and TLS alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.application.parts import Stores
from service.settings import Settings
from tests.certificates import Signer
from tests.ground import Ground, shipped_rules
from tests.ground import ground as ground
from tests.ground import payer as payer
from tests.secured import HTTP_TLS, secured_elasticsearch, secured_redis, secured_settings
from tests.secured import secrets as secrets


@pytest.fixture(scope="session")
def secured(
    secrets: Path,
    tmp_path_factory: pytest.TempPathFactory,
    engine_progress: Callable[[str], None],
) -> Iterator[Settings]:
    """The settings of a service on engines with security; started once, for it takes a while."""
    with (
        secured_elasticsearch(secrets, HTTP_TLS, engine_progress) as search,
        secured_redis(secrets, tmp_path_factory.mktemp("redis")) as redis_url,
    ):
        yield secured_settings(secrets, elasticsearch_url=search.url, redis_url=redis_url)


@pytest.fixture(scope="session")
def fortress(secured: Settings) -> Ground:
    """Installed indices there."""
    made = Ground(settings=secured, rules=shipped_rules())

    async def install(stores: Stores) -> None:
        await stores.installation.install()

    made.run(install)
    return made


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """Who signs certificates of every kind."""
    return Signer.new(tmp_path_factory.mktemp("signer"))
