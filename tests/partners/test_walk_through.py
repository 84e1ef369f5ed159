"""What the walk-through shows of a charge, from the request to the number on its claim, is true."""

import json
import os
import subprocess
import time

import httpx
from pydantic import SecretStr

from authmatch_local.partner import Partner, serving
from service.settings import Settings, StartKey, TradingPartner
from tests.ground import Ground
from tests.pages import ROOT, fences_of, has
from tests.serving import client_of
from tests.serving import serving as service_on

PAGE, HEADING = "docs/walk-through.md", "## From a charge to the number on its claim"
KEY = "key-of-the-clinic"
SOON_S = 60
"""So long the partner's answer and the alert may take on a busy machine."""


def typed(command: str, url: str) -> str:
    """What a shell gives for the commands as they are shown, on another port."""
    done = subprocess.run(
        ["bash", "-ec", command.replace("http://127.0.0.1:8080", url)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "KEY": KEY},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def asked_for(clinic: httpx.Client) -> None:
    """Put and send the request, as the first start does."""
    body = (ROOT / "docs" / "examples" / "request.json").read_bytes()
    name = json.loads(body)["request_id"]
    assert clinic.put(f"/requests/{name}", content=body).is_success
    assert clinic.post(f"/requests/{name}/send", json={}).is_success


def settings_with(ground: Ground, payer: str, partner: str) -> Settings:
    """A service of one payer, whose partner answers at an address."""
    told = TradingPartner(url=partner, receiver="PARTNER", payer_id="PARTNER")
    key = StartKey(payers=(payer,), name="clinic")
    return ground.settings.model_copy(
        update={"api_keys": {SecretStr(KEY): key}, "trading_partners": {payer: told}}
    )


def test_the_commands_give_what_they_show(ground: Ground, payer: str) -> None:
    """One after the other; the request and the alert are waited for."""
    fences = fences_of(PAGE, HEADING)
    shown = list(zip(fences[::2], fences[1::2], strict=True))
    assert [(one[0], other[0]) for one, other in shown] == [("sh", "json")] * 6

    with serving(Partner()) as partner:
        settings = settings_with(ground, payer, partner)
        with service_on(settings) as url, client_of(url, KEY) as clinic:
            asked_for(clinic)
            for (_, command), (_, expected) in shown:
                until = time.monotonic() + SOON_S
                while not has(given := json.loads(typed(command, url)), json.loads(expected)):
                    assert "/requests/" in command or "/alerts" in command, given
                    assert time.monotonic() < until, given
                    time.sleep(0.3)
