"""No route is reached without a key but those that say nothing of any payer."""

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

from service.api.app import PUBLIC, create_app
from service.api.caller import caller_of
from service.settings import Settings
from tests.api.conftest import Service
from tests.ground import Ground
from tests.serving import client_of, serving

SESSION = {
    f"/session{each}" for each in ("", "/sign-in", "/callback", "/open", "/payer", "/sign-out")
}
OPEN = {"/", "/health/live", "/health/ready", "/metrics", "/fhir/metadata", *SESSION}
OPEN |= {"/calendars/{token}.ics"}  # the address itself is the secret


def routes(app: FastAPI) -> list[RouteContext]:
    """Every endpoint, with all that it depends on."""
    contexts = iter_route_contexts(app.routes)
    return [each for each in contexts if getattr(each, "dependant", None) is not None]


def test_every_endpoint_depends_on_who_calls() -> None:
    """Also one that does not ask for it: the key is demanded where rooms are put together."""
    found = routes(create_app(Settings()))
    keyless = {
        str(each.path)
        for each in found
        if caller_of not in {dependency.call for dependency in each.dependant.dependencies}
    }

    assert len(found) > 40
    pages = {path for path in keyless if path.startswith(("/docs", "/swagger/"))}
    assert keyless - pages == OPEN
    assert {route.path for router in PUBLIC for route in router.routes} == OPEN  # type: ignore[attr-defined]


@pytest.mark.parametrize("header", [{}, {"x-api-key": "no"}, {"authorization": "Bearer no"}])
def test_every_address_refuses_who_has_no_key(service: Service, header: dict[str, str]) -> None:
    """Before anything else is looked at: the parameters, the body, what is asked for.

    Wrong ones are many here, so that a few are told to wait.
    """
    with client_of(service.url) as client:
        document = client.get("/openapi.json").json()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                address = re.sub(r"\{\w+\}", "x", path)
                answer = client.request(method, address, headers=header, content=b"{")
                assert (answer.status_code in (401, 429)) == (path not in OPEN), (method, path)
                assert bool(operation.get("security")) == (path not in OPEN), (method, path)
        assert set(document["components"]["securitySchemes"]) == {"X-API-Key", "Bearer"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://{host}"}, 200),
        ({"origin": "https://evil.example"}, 401),
        ({"origin": "http://127.0.0.1:1"}, 401),
        ({"origin": "null"}, 401),
        ({"origin": "http://["}, 401),
        ({"host": "evil.example"}, 401),
        ({"host": "localhost.evil.example"}, 401),
        ({"host": "["}, 401),
        ({"x-api-key": "any"}, 401),
        ({"x-payer": "else"}, 403),
    ],
)
def test_an_open_service_is_open_to_this_machine_alone(
    ground: Ground, headers: dict[str, str], status: int
) -> None:
    """No page of another site, and no name that leads here, may ask what needs no key."""
    with serving(ground.settings) as url, client_of(url) as client:
        host = url.removeprefix("http://")
        sent = {name: each.format(host=host) for name, each in headers.items()}

        assert client.get("/authorizations", headers=sent).status_code == status


def test_without_any_key_nobody_may_call(ground: Ground) -> None:
    """A setting that is misspelt leaves it closed."""
    settings = ground.settings.model_copy(update={"open_profile": False})
    with serving(settings) as url, client_of(url) as client:
        assert client.get("/authorizations").status_code == 401
        assert client.get("/health/ready").status_code == 200
