"""The matrix route x scope x payer, generated from the routes: who lacks one scope is refused."""

import re
from collections.abc import Iterator
from functools import cache

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from service.access.scopes import ALL, SCOPES, read_roles
from service.access.sessions import Session, Sessions
from service.api.app import PUBLIC, create_app
from service.api.caller import declared, needs
from service.application.parts import Stores
from service.settings import Settings, StartKey
from tests.ground import Ground
from tests.pages import rows_of
from tests.serving import client_of, serving

OWN, OTHER, FOREIGN = "payer-own", "payer-other", "payer-foreign"
OPEN = {str(route.path) for router in PUBLIC for route in router.routes}  # type: ignore[attr-defined]
FORM = {"content-type": "application/x-www-form-urlencoded"}


@cache
def matrix() -> dict[tuple[str, str], tuple[str, ...]]:
    """Every route of the service that is not public, with the scopes that it declares."""
    routes = [
        each
        for each in iter_route_contexts(create_app(Settings()).routes)
        if getattr(each, "dependant", None) is not None
        and str(each.path) not in OPEN
        and not str(each.path).startswith(("/docs", "/swagger/"))
    ]
    return {
        (method, str(each.path)): declared(each.endpoint) if each.endpoint else ()
        for each in routes
        for method in each.methods or ()
    }


def roles() -> dict[str, frozenset[str]]:
    """A role for each scope alone, one for all but it, one for each set that a route declares."""
    sets = {name_of(scopes): frozenset(scopes) for scopes in matrix().values()}
    return (
        {f"only-{scope}": frozenset({scope}) for scope in ALL}
        | {f"but-{scope}": ALL - {scope} for scope in ALL}
        | sets
    )


def name_of(scopes: tuple[str, ...]) -> str:
    """The role with just these scopes."""
    return "+".join(sorted(scopes)) or "nothing"


@pytest.fixture(scope="module")
def address(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with a key for every role, for two payers."""
    file = tmp_path_factory.mktemp("roles") / "roles.yaml"
    file.write_text("".join(f"{role}: [{', '.join(of)}]\n" for role, of in roles().items() if of))
    keys = {SecretStr(role): StartKey(payers=(OWN, OTHER), role=role) for role in read_roles(file)}
    settings = ground.settings.model_copy(update={"api_keys": keys, "roles_file": file})
    with serving(settings) as url:
        yield url


def asked(client: httpx.Client, route: tuple[str, str], sent: dict[str, str]) -> httpx.Response:
    """Ask a route for things that are not there, with a body that is none."""
    method, path = route
    headers = sent | (FORM if path.endswith("_search") else {})
    content = None if path.endswith("/retry") else b"{"  # corrected content needs more
    return client.request(method, re.sub(r"\{\w+\}", "x", path), headers=headers, content=content)


def test_every_route_declares_what_it_needs() -> None:
    """One without a declaration is answered to nobody, and fails here."""
    assert len(matrix()) > 35
    assert [route for route, scopes in matrix().items() if not scopes] == []


def test_scopes_must_be_there() -> None:
    """A declaration with a slip of the pen is found when the module is read."""
    for wrong in ((), ("claims.mach",)):
        with pytest.raises(ValueError, match="scopes that there are"):
            needs(*wrong)


@pytest.mark.parametrize("route", matrix(), ids=" ".join)
def test_a_route_is_open_to_its_scopes_alone(address: str, route: tuple[str, str]) -> None:
    """Each scope alone, all but each, just those declared; for each payer of a key and another."""
    needed = frozenset(matrix()[route])
    with client_of(address) as client:
        for role, scopes in roles().items():
            if not scopes:
                continue
            for payer in (OWN, OTHER, FOREIGN):
                answer = asked(client, route, {"x-api-key": role, "x-payer": payer})
                is_open = needed <= scopes and payer != FOREIGN
                assert (answer.status_code in (401, 403)) != is_open, (role, payer, answer.text)
                if payer != FOREIGN and not is_open:
                    missing = re.findall(r'scope="([\w.-]+)"', answer.headers["www-authenticate"])
                    assert set(missing) <= needed - scopes, (role, payer)


@pytest.fixture(scope="module")
def browsers(ground: Ground, address: str) -> dict[str, dict[str, str]]:
    """What a browser sends of a session of each role, by the name of the role."""

    async def opened(stores: Stores) -> dict[str, dict[str, str]]:
        secret = ground.settings.surrogate_key.get_secret_value().encode()
        sessions = Sessions(stores.sessions, secret=secret, idle_s=600, whole_s=600)
        sent = {}
        for role in roles():
            session = Session(name=role, payers=(OWN, OTHER), may=(f"role:{role}",))
            session_id = await sessions.open(session)
            sent[role] = {
                "cookie": f"authmatch-{address.rpartition(':')[2]}={session_id}",
                "x-csrf-token": sessions.csrf_token(session_id),
            }
        return sent

    return ground.run(opened)


@pytest.mark.parametrize("route", matrix(), ids=" ".join)
def test_a_route_is_open_to_sessions_of_its_scopes_alone(
    address: str, browsers: dict[str, dict[str, str]], route: tuple[str, str]
) -> None:
    """As to keys: without any one of its scopes, and for another payer, it is closed."""
    needed = matrix()[route]
    with client_of(address) as client:
        for role in (name_of(needed), *(f"but-{scope}" for scope in needed)):
            for payer in (OWN, FOREIGN):
                answer = asked(client, route, browsers[role] | {"x-payer": payer})
                is_open = role == name_of(needed) and payer == OWN
                assert (answer.status_code in (401, 403)) != is_open, (role, payer, answer.text)
        if route[0] != "GET":
            headers = browsers[name_of(needed)] | {"x-payer": OWN, "x-csrf-token": "no"}
            assert asked(client, route, headers).status_code == 403


def test_the_page_says_what_each_route_needs() -> None:
    """The table of the documentation is what the routes declare."""
    written = {
        request.strip("`"): frozenset(re.findall(r"`([\w.-]+)`", scopes))
        for request, scopes in rows_of("docs/access.md", "## What each request needs")
    }
    assert written == {" ".join(route): frozenset(of) for route, of in matrix().items()}


def test_the_page_names_every_scope() -> None:
    """In the order of the code, with the same words."""
    rows = rows_of("docs/access.md", "## Scopes")
    assert {name.strip("`"): says for name, says in rows} == dict(SCOPES)


def test_the_roles_that_are_shipped() -> None:
    """They can be read, and nobody but an administrator may make keys."""
    shipped = read_roles(Settings().roles_file)
    assert set(shipped) >= {"examiner", "supervisor", "ops-author", "ops-approver", "auditor"}
    assert not any("admin" in scopes for scopes in shipped.values())
    assert not any({"rules.edit", "rules.approve"} <= scopes for scopes in shipped.values())
