"""The container set-up, checked without a container engine: what it opens, keeps and demands."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from authmatch_local.engines.download import VERSION
from service.application.certificate import judge
from service.application.engines import routes
from service.cli.configuration import read_settings
from service.cli.faults import BadInput
from tools.container_secrets import INDICES, RIGHTS, SERVERS, USER, make

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> Any:
    """The compose file, parsed."""
    return YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def options(command: list[str]) -> dict[str, str]:
    """The `--name value` pairs of a command."""
    return dict(zip(command[1::2], command[2::2], strict=True))


def test_the_service_waits_for_both_engines_and_each_tells_its_health(compose: Any) -> None:
    """Nothing is started on top of an engine that cannot answer yet."""
    services = compose["services"]
    assert set(services) == {"service", "elasticsearch", "redis"}
    assert all("test" in service["healthcheck"] for service in services.values())
    assert services["service"]["depends_on"] == {
        "elasticsearch": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }


def test_only_the_service_is_published_and_only_to_this_machine(compose: Any) -> None:
    """The network of the engines has no way out, no port of theirs is open."""
    services = compose["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["service"]
    assert all(port.startswith("127.0.0.1:") for port in services["service"]["ports"])
    assert compose["networks"]["engines"] == {"internal": True}
    assert services["elasticsearch"]["networks"] == services["redis"]["networks"] == ["engines"]


def test_secrets_are_files_that_are_made_and_never_written_down(
    compose: Any, tmp_path: Path
) -> None:
    """No default and no password in an environment; all that is named is made, and no more."""
    make(tmp_path / "secrets", payer="P1")
    made = {f"secrets/{each.name}" for each in (tmp_path / "secrets").iterdir()}
    assert {each["file"] for each in compose["secrets"].values()} == made
    used = {
        each if isinstance(each, str) else each["source"]
        for service in compose["services"].values()
        for each in service["secrets"]
    }
    assert used == set(compose["secrets"])
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|KEYS$|SURROGATE|API_KEY", name), name
            assert "$" not in value


def test_the_service_takes_its_secrets_from_the_folder(
    compose: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the containers are settings that it has; what the environment has goes before."""
    folder = tmp_path / "secrets"
    make(folder, payer="P1")
    for name, value in compose["services"]["service"]["environment"].items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(folder)))

    settings = read_settings()

    assert settings.payers[0] == "P1"
    assert settings.weak_secret is None
    for secret in (settings.redis_password, settings.elasticsearch_password):
        assert secret is not None
        assert len(secret.get_secret_value()) >= 43
    assert (settings.redis_username, settings.elasticsearch_username) == (USER, USER)
    assert not [route for route in routes(settings) if route.is_open_to_others]
    judged = judge(settings, str(settings.tls_cert))
    assert (judged.wrong, judged.weak) == ((), ("everybody of this machine can read its key",))
    monkeypatch.setenv("AUTHMATCH_REDIS_PASSWORD", "of the environment")
    (changed,) = [read_settings().redis_password]
    assert changed is not None
    assert changed.get_secret_value() == "of the environment"
    monkeypatch.setenv("AUTHMATCH_SECRETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(BadInput, match="AUTHMATCH_SECRETS_DIR"):
        read_settings()


def test_secrets_are_made_once_and_certificates_again(tmp_path: Path) -> None:
    """No two installations share any; a renewal keeps every password, and all of it is private."""
    ours, others = tmp_path / "ours", tmp_path / "others"
    make(ours, payer="P1")
    make(others, payer="P1")
    first = {each.name: each.read_bytes() for each in ours.iterdir()}
    strange = {each.name: each.read_bytes() for each in others.iterdir()}
    same = {name for name in first if first[name] == strange[name]}
    assert same == {"elasticsearch-users-roles", "elasticsearch-roles.yml"}
    assert ours.stat().st_mode & 0o777 == 0o700
    for name in ("authmatch_redis_password", "authmatch_elasticsearch_password"):
        hashed = first["redis-users.acl"] + first["elasticsearch-users"]
        assert first[name] not in hashed, "engines are given hashes"

    make(ours, payer="P2")
    make(ours, payer="P2", renew=True)

    then = {each.name: each.read_bytes() for each in ours.iterdir()}
    changed = {name for name in then if then[name] != first[name]} - {"elasticsearch-users"}
    pairs = {f"{name}.{kind}" for name in SERVERS for kind in ("pem", "key")}
    assert changed == {"ca.pem", *pairs}


def test_the_rights_of_the_service_are_those_that_operations_names() -> None:
    """Every index that has a template, and no other; the same user of Redis."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    told = page.partition("In Elasticsearch the service needs the rights")[2].partition("(behind")[
        0
    ]
    named = set(re.findall(r"`([a-z\-*]+)`", told))
    assert named - {"create_index", "manage", "read", "write", "monitor"} >= set(INDICES)
    assert f"user {USER} on #SHA256-OF-THE-PASSWORD {RIGHTS}" in page


def test_nothing_speaks_without_tls(compose: Any) -> None:
    """No address of plain HTTP or Redis; the engines listen by TLS alone, and know their users."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert "http://" not in text
    assert "redis://" not in text
    redis = options(compose["services"]["redis"]["command"])
    assert redis["--port"] == "0"
    assert redis["--aclfile"] == "/run/secrets/redis-users.acl"
    search = compose["services"]["elasticsearch"]["environment"]
    assert search["xpack.security.enabled"] == "true"
    assert search["xpack.security.http.ssl.enabled"] == "true"


def test_every_container_has_no_rights_and_a_bound(compose: Any) -> None:
    """No capability, no new privileges, so much memory and no more."""
    for service in compose["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "mem_limit" in service
    assert compose["services"]["redis"]["user"] == "999:999"


def test_base_images_are_named_by_digest(compose: Any) -> None:
    """A tag can be moved."""
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE)
    bases += [compose["services"][engine]["image"] for engine in ("elasticsearch", "redis")]
    assert len(bases) == 4
    assert all(re.search(r":[\w.\-]+@sha256:[0-9a-f]{64}$", base) for base in bases)
    assert bases[0] == bases[1]


def test_the_data_outlive_the_containers(compose: Any) -> None:
    """Named volumes for both engines."""
    named = set(compose["volumes"])
    for engine in ("elasticsearch", "redis"):
        (volume,) = compose["services"][engine]["volumes"]
        assert volume.partition(":")[0] in named


def test_redis_confirms_only_what_is_on_the_disk(compose: Any) -> None:
    """The same promises as the local engine's."""
    redis = compose["services"]["redis"]
    assert redis["image"].startswith("redis:7")
    given = options(redis["command"])
    assert given["--appendonly"] == "yes"
    assert given["--appendfsync"] == "always"
    assert given["--maxmemory-policy"] == "noeviction"


def test_one_version_of_elasticsearch_everywhere(compose: Any) -> None:
    """What runs in containers is what the local node is."""
    image = compose["services"]["elasticsearch"]["image"]
    assert image.partition("@")[0] == f"elasticsearch:{VERSION}"


def test_the_image_is_pinned_and_runs_without_rights(compose: Any) -> None:
    """Hashes for every package, a user with no name at home, a health check."""
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, flags=re.MULTILINE)
    assert compose["services"]["service"]["user"] == "10001:10001"
    assert "HEALTHCHECK" in DOCKERFILE
    assert "/health/live" in DOCKERFILE


def test_all_that_the_image_copies_is_sent_to_the_builder() -> None:
    """The ignore file names what is sent, so that nothing else can slip in."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied: set[str] = set()
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE):
        copied.update(line.split()[:-1])
    assert "*" in lines
    assert copied == sent
    assert "authmatch_local" not in copied, "no engines and no made-up data in the image"
    assert all((ROOT / name).exists() for name in copied)


def test_compose_itself_accepts_the_file() -> None:
    """Asked where the client has the plugin; it needs no daemon for that."""
    command = ["docker", "compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"]
    try:
        subprocess.run(["docker", "compose", "version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return  # the tests above are all that can be said here
    given = subprocess.run(command, check=False, capture_output=True, text=True)
    assert given.returncode == 0, given.stderr
