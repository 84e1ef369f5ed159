"""Ways to the engines: what is shown there is verified, and nobody can end that by an address."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.application.engines import NotConfigured, routes
from service.application.parts import Stores
from service.domain.engine_fault import EngineFault
from service.settings import Settings
from tests.api.bodies import authorization_body, claim_body
from tests.certificates import Pair, Signer
from tests.ground import Ground, shipped_rules
from tests.proxy import Mode, Proxy
from tests.secured import TlsProxy, shown_by
from tests.serving import client_of, serving

ENGINES = ("elasticsearch", "redis")


def behind_tls(ground: Ground, engine: str, tls: ssl.SSLContext, stack: ExitStack) -> str:
    """The address of an engine, from now on by TLS."""
    return stack.enter_context(TlsProxy(str(getattr(ground.settings, f"{engine}_url")), tls)).url


def ask(ground: Ground, engine: str, **changes: Any) -> None:
    """Ask one engine with other settings; raises EngineFault."""
    settings = ground.settings.model_copy(update=changes)

    async def asked() -> None:
        async with ground.stores(settings) as stores:
            await getattr(stores.inspection, engine)()

    asyncio.run(asked())


def old(tls: ssl.SSLContext) -> ssl.SSLContext:
    """A server of long ago."""
    tls.minimum_version = ssl.TLSVersion.TLSv1
    tls.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.set_ciphers("ALL:@SECLEVEL=0")
    return tls


Shown = Callable[[Signer, Signer], ssl.SSLContext]


def of(pair: Pair) -> ssl.SSLContext:
    """What a server with these files shows."""
    return shown_by(pair.certificate, pair.key)


REFUSED: dict[str, tuple[Shown, str]] = {
    "expired": (lambda us, _: of(us.issue("e", since=9, days=-1)), "it has expired"),
    "of tomorrow": (lambda us, _: of(us.issue("t", since=-1, days=9)), "it is not valid yet"),
    "other host": (lambda us, _: of(us.issue("o", hosts=["db.example"])), "for another name"),
    "other address": (lambda us, _: of(us.issue("a", hosts=["10.9.8.7"])), "for another name"),
    "a stranger's": (lambda _, them: of(them.issue("s")), "its signer is not trusted"),
    "old TLS": (lambda us, _: old(of(us.issue("old"))), "cannot be reached"),
}


@pytest.mark.engines
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("shown", "why"), REFUSED.values(), ids=REFUSED)
def test_what_an_engine_shows_is_verified(
    ground: Ground, signer: Signer, tmp_path: Path, engine: str, shown: Shown, why: str
) -> None:
    """Signer, name, days and version; the reason is told, without the names of hosts."""
    tls = shown(signer, Signer.new(tmp_path / "stranger"))
    with ExitStack() as stack:
        changes = {
            f"{engine}_url": behind_tls(ground, engine, tls, stack),
            f"{engine}_ca_certs": str(signer.file),
        }
        with pytest.raises(EngineFault) as refused:
            ask(ground, engine, **changes)

    assert why in refused.value.reason
    assert "example" not in refused.value.reason


@pytest.mark.engines
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_may_ask_who_we_are(ground: Ground, signer: Signer, engine: str) -> None:
    """With our certificate it answers, without it does not."""
    tls = of(signer.issue(f"{engine}-asks"))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(signer.file)
    ours = signer.issue("ours")
    with ExitStack() as stack:
        url = behind_tls(ground, engine, tls, stack)
        trusted = {f"{engine}_url": url, f"{engine}_ca_certs": str(signer.file)}
        shown = {
            f"{engine}_client_cert": str(ours.certificate),
            f"{engine}_client_key": str(ours.key),
        }
        ask(ground, engine, **trusted, **shown)
        with pytest.raises(EngineFault):
            ask(ground, engine, **trusted)


@pytest.mark.engines
def test_one_of_several_nodes_is_enough(ground: Ground, payer: str) -> None:
    """Some never answered, one dies meanwhile: claims and pushes go on by the others."""
    dying, lasting = (Proxy(str(ground.settings.elasticsearch_url)) for _ in range(2))
    dying.start()
    lasting.start()
    addresses = ["http://127.0.0.1:1", dying.url, "http://127.0.0.1:2", lasting.url]
    changes = {"elasticsearch_url": ",".join(addresses), "default_payer": payer}
    try:
        with (
            serving(ground.settings.model_copy(update=changes)) as url,
            client_of(url) as caller,
        ):
            put = partial(caller.put, json=authorization_body())
            assert put("/authorizations/A1").status_code == 201
            modes: tuple[Mode, ...] = ("refuse", "pass", "refuse")
            for mode in modes:
                dying.set_mode(mode)
                answers = [caller.post("/match", json=claim_body()) for _ in range(6)]
                assert {each.status_code for each in answers} == {200}, mode
                found = {each.json()["lines"][0]["results"][0]["class"] for each in answers}
                assert found == {"exact"}
                assert put("/authorizations/A1").json()["status"] == "unchanged"
    finally:
        dying.stop()
        lasting.stop()


BAD_ADDRESSES = [
    ("elasticsearch_url", "localhost:9200"),
    ("elasticsearch_url", "ftp://localhost:9200"),
    ("elasticsearch_url", "https://"),
    ("elasticsearch_url", "https://a:9200,,https://b:9200"),
    ("elasticsearch_url", "https://a:9200,http://b:9200"),
    ("elasticsearch_url", "https://a:9200, not an address"),
    ("elasticsearch_url", "https://a:99999"),
    ("elasticsearch_url", "https://user:hidden@a:9200"),
    ("elasticsearch_url", "https://a:9200?verify_certs=false"),
    ("redis_url", "http://a:6379"),
    ("redis_url", "rediss://"),
    ("redis_url", "rediss://a:6379/0?ssl_cert_reqs=none"),
    ("redis_url", "rediss://a:6379?ssl_check_hostname=false"),
    ("redis_url", "redis://user:hidden@a:6379/0?"),
    ("redis_url", "rediss://a:6379#b"),
]


@pytest.mark.parametrize(("name", "address"), BAD_ADDRESSES)
def test_an_address_that_is_none_is_refused(name: str, address: str) -> None:
    """Also one that would end verification: that is a setting of no kind."""
    with pytest.raises(ValidationError) as refused:
        Settings(**{name: address})  # type: ignore[arg-type]

    (error,) = refused.value.errors(include_input=False)
    assert error["loc"] == (name,)
    assert "hidden" not in error["msg"]


@pytest.mark.parametrize(
    ("written", "urls"),
    [
        ("https://a:9200", ("https://a:9200",)),
        (" https://a:9200 , https://b:9201 ", ("https://a:9200", "https://b:9201")),
        ("http://[::1]:9200,http://b/es", ("http://[::1]:9200", "http://b/es")),
        ("", ()),
    ],
)
def test_nodes_are_named_with_commas(written: str, urls: tuple[str, ...]) -> None:
    """Blanks around an address are none of it."""
    assert Settings(elasticsearch_url=written).elasticsearch_urls == urls


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "no certificate"])
def test_a_file_of_signers_that_cannot_be_read_is_told(
    tmp_path: Path, engine: str, kind: str
) -> None:
    """With its path, before anything is asked; never that of the system instead."""
    file = tmp_path / "ca.pem"
    if kind == "folder":
        file.mkdir()
    elif kind != "missing":
        file.write_text("" if kind == "empty" else "-----BEGIN NOTHING-----\n")
    with pytest.raises(NotConfigured, match=r"ca\.pem cannot be read as certificates"):
        opened(**{f"{engine}_ca_certs": str(file)})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["missing", "of another", "encrypted", "no key"])
def test_a_key_that_does_not_fit_is_told(
    tmp_path: Path, signer: Signer, engine: str, kind: str
) -> None:
    """Nobody is asked for a password at the terminal."""
    ours = signer.issue("fits", password=b"long" if kind == "encrypted" else None)
    key = {
        "missing": tmp_path / "nowhere.key",
        "of another": signer.issue("other").key,
        "encrypted": ours.key,
        "no key": ours.certificate,
    }[kind]
    files = {f"{engine}_client_cert": str(ours.certificate), f"{engine}_client_key": str(key)}
    with pytest.raises(NotConfigured, match="are no certificate with its key"):
        opened(**files)


def opened(**changes: str) -> None:
    """Open both clients by TLS, and ask nothing."""
    addresses = {"elasticsearch_url": "https://a:9200", "redis_url": "rediss://a:6379"}

    async def opened() -> None:
        settings = Settings(**{**addresses, **changes})  # type: ignore[arg-type]
        await Stores(settings, shipped_rules().stored).close()

    asyncio.run(opened())


@pytest.mark.parametrize(
    ("changes", "open_ways"),
    [
        ({"elasticsearch_url": "http://es:9200", "redis_url": "rediss://r:1"}, ["es"]),
        ({"elasticsearch_url": "https://a:1,https://b:1", "redis_url": "redis://r:1"}, ["r"]),
        ({"elasticsearch_url": "http://a:1,http://b:1"}, ["a", "b"]),
        ({"elasticsearch_url": "http://127.0.0.1:1", "redis_url": "redis://localhost"}, []),
        ({"elasticsearch_url": "http://[::1]:1", "redis_url": "redis://127.9.9.9"}, []),
        (
            {"elasticsearch_url": "http://10.0.0.1:1", "redis_url": "redis://u:p@r:1"},
            ["10.0.0.1", "r"],
        ),
    ],
)
def test_ways_on_which_others_can_listen_are_known(
    changes: dict[str, str], open_ways: list[str]
) -> None:
    """Every address without TLS but those of this machine."""
    found = routes(Settings(**changes))  # type: ignore[arg-type]

    assert [each.host for each in found if each.is_open_to_others] == open_ways
