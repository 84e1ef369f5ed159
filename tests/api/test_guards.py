"""What stands around every answer: nobody keeps it, shows it in another page, or is led away."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.bodies import authorization_body, claim_body
from tests.api.conftest import Service
from tests.ground import Ground
from tests.serving import client_of, keys_of, serving

EVIL = "evil.example"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/fhir/metadata"),
        ("GET", "/fhir/ClaimResponse?_id=A1"),
        ("GET", "/authorizations"),
        ("GET", "/authorizations/A1"),
        ("GET", "/authorizations/none"),
        ("GET", "/worklist"),
        ("GET", "/nowhere"),
        ("PATCH", "/match"),
        ("POST", "/match"),
        ("POST", "/match/batch"),
        ("POST", "/fhir"),
    ],
)
def test_answers_are_kept_by_nobody(caller: httpx.Client, method: str, path: str) -> None:
    """Neither caches nor other pages; a browser takes them for nothing else."""
    caller.put("/authorizations/A1", json=authorization_body())
    headers = caller.request(method, path, json=claim_body()).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/match/", "/worklist/", "/", "/health/live/"])
def test_nobody_is_led_to_the_host_that_he_named(service: Service, path: str) -> None:
    """No redirect, and no address with that host."""
    answer = httpx.get(f"{service.url}{path}", headers={"host": EVIL}, trust_env=False)
    assert answer.status_code in (200, 401, 404, 405)
    assert EVIL not in answer.text + str(answer.headers)


def test_no_key_stays_in_the_page_of_the_documentation(service: Service) -> None:
    """It forgets the key with the page."""
    page = httpx.get(f"{service.url}/docs", trust_env=False).text
    assert "/swagger/swagger-ui-bundle.js" in page
    assert "persistAuthorization" not in page


@pytest.fixture(scope="module")
def named(ground: Ground) -> Iterator[str]:
    """A service that has names."""
    changes = {"api_keys": keys_of({"key": "payer-named"}), "hosts": ["Auth.example", "127.0.0.1"]}
    with serving(ground.settings.model_copy(update=changes)) as url:
        yield url


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("auth.example", 200),
        ("AUTH.example:8443", 200),
        (EVIL, 421),
        (f"auth.example.{EVIL}", 421),
        (f"{EVIL}:80", 421),
        ("auth.example@evil", 421),
        ("", 421),
    ],
)
@pytest.mark.parametrize("path", ["/health/live", "/authorizations", "/docs"])
def test_a_service_that_has_names_answers_to_no_other(
    named: str, path: str, host: str, status: int
) -> None:
    """Whatever the address."""
    with client_of(named, "key") as client:
        answer = client.get(path, headers={"host": host})
    assert answer.status_code == status
    assert EVIL not in answer.text
