"""Services on real engines, one for each set of rules, and a desk of its own for each test."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.adjudication.changed_rules import CHANGES, write_rules
from tests.adjudication.desk import Desk
from tests.ground import Ground
from tests.ground import ground as ground
from tests.ground import payer as payer
from tests.serving import client_of, keys_of, serving

PAYERS = 512


@dataclass
class Services:
    """Services that share one index; each starts when a test first needs its rules."""

    ground: Ground
    folder: Path
    stack: contextlib.ExitStack
    urls: dict[str, str] = field(default_factory=dict)
    payers: Iterator[int] = field(default_factory=lambda: iter(range(PAYERS)))

    def url(self, rules: str) -> str:
        """The address of the service with these rules."""
        if rules not in self.urls:
            number = list(CHANGES).index(rules)
            settings = self.ground.settings.model_copy(
                update={
                    "api_keys": keys_of({f"key-{each}": f"payer-{each}" for each in range(PAYERS)}),
                    "queries_dir": write_rules(rules, self.folder / f"rules-{number}"),
                    # There are many payers: what is done for each now and then is not asked for.
                    "ledger_sweep_s": 3600,
                    "rest_days": 0,
                }
            )
            self.urls[rules] = self.stack.enter_context(serving(settings))
        return self.urls[rules]


@pytest.fixture(scope="package")
def services(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The services of this run."""
    with contextlib.ExitStack() as stack:
        yield Services(ground, tmp_path_factory.mktemp("rules"), stack)


@pytest.fixture
def desk(services: Services) -> Iterator[Desk]:
    """The desk of a payer that no other test has."""
    number = next(services.payers)
    with contextlib.ExitStack() as stack:
        yield Desk(
            ground=services.ground,
            payer=f"payer-{number}",
            call=lambda rules: stack.enter_context(client_of(services.url(rules), f"key-{number}")),
        )
