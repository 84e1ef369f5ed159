"""The container set-up, checked without a container engine: what it opens, keeps and demands."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from authmatch_local.engines.download import VERSION

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
    """The engines have no passwords: their network has no way out, no port of theirs is open."""
    services = compose["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["service"]
    assert all(port.startswith("127.0.0.1:") for port in services["service"]["ports"])
    assert compose["networks"]["engines"] == {"internal": True}
    assert services["elasticsearch"]["networks"] == services["redis"]["networks"] == ["engines"]


def test_secrets_are_demanded_and_never_written_down(compose: Any) -> None:
    """No default: compose ends with the reason when one is missing."""
    environment = compose["services"]["service"]["environment"]
    for name in ("AUTHMATCH_API_KEYS", "AUTHMATCH_SURROGATE_KEY"):
        assert re.fullmatch(rf"\$\{{{name}:\?[^}}]+\}}", environment[name])


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
    assert compose["services"]["elasticsearch"]["image"] == f"elasticsearch:{VERSION}"


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
    secrets = {"AUTHMATCH_API_KEYS": '{"k": "P"}', "AUTHMATCH_SURROGATE_KEY": "s" * 32}
    given = subprocess.run(
        command, env=os.environ | secrets, check=False, capture_output=True, text=True
    )
    assert given.returncode == 0, given.stderr
    bare = {name: value for name, value in os.environ.items() if name not in secrets}
    missing = subprocess.run(command, env=bare, check=False, capture_output=True, text=True)
    assert missing.returncode != 0
    assert "set it to" in missing.stderr
