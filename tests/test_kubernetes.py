"""The manifests are what Kubernetes takes, and say what the service is and needs."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from service.api.app import create_app
from service.cli.commands import COMMANDS
from service.cli.serve import GRACE_SECONDS
from service.settings import Settings
from tests.pages import ROOT

BASE = ROOT / "operations/kubernetes"
VERSIONS = ("1.32", "1.37")
"""The oldest that has all that is asked for, and the newest that is known."""
SECRETS = {"api_keys", "surrogate_key", "elasticsearch_password", "redis_password"}
Manifest = dict[str, Any]


@cache
def kustomization() -> Manifest:
    """What the base is made of."""
    return dict(YAML(typ="safe").load(BASE / "kustomization.yaml"))


@cache
def manifests() -> dict[str, Manifest]:
    """All manifests, by kind and name."""
    read = YAML(typ="safe").load_all
    found = [each for file in kustomization()["resources"] for each in read(BASE / file)]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}


def templates() -> dict[str, Manifest]:
    """What each pod is made from."""
    deployed = manifests()["Deployment/authmatch"]["spec"]["template"]["spec"]
    jobs = {
        name: each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for name, each in manifests().items()
        if each["kind"] == "CronJob"
    }
    return {"Deployment/authmatch": deployed, **jobs}


def containers() -> Iterator[tuple[str, Manifest]]:
    """Every container, by what makes it."""
    for name, pod in templates().items():
        yield from ((name, each) for each in pod["containers"])


def test_every_file_is_one_of_the_base() -> None:
    """None lies there that nobody applies."""
    files = {each.name for each in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(kustomization()["resources"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", manifests())
def test_a_manifest_fits_the_schema(name: str, version: str) -> None:
    """That of Kubernetes, with no key that it does not know."""
    kubernetes_validate.validate(manifests()[name], version, strict=True)


def test_settings_are_those_of_the_service_and_hold_no_secret() -> None:
    """What is secret is a file of a Secret that is named, and made by whoever installs it."""
    told = manifests()["ConfigMap/authmatch"]["data"]
    own = {f"AUTHMATCH_{each.upper()}" for each in Settings.model_fields} | {
        "AUTHMATCH_SECRETS_DIR",
        "TMPDIR",
    }
    assert set(told) <= own
    assert not {f"AUTHMATCH_{each.upper()}" for each in SECRETS} & set(told)
    assert "Secret" not in {each["kind"] for each in manifests().values()}
    for pod in templates().values():
        named = {each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
        mounted = {each["mountPath"] for one in pod["containers"] for each in one["volumeMounts"]}
        assert named == {"authmatch", "authmatch-tls"}
        assert {told["AUTHMATCH_SECRETS_DIR"], told["TMPDIR"]} <= mounted
    for engine in ("ELASTICSEARCH_URL", "REDIS_URL"):
        assert told[f"AUTHMATCH_{engine}"].startswith(("https://", "rediss://"))


def test_probes_ask_what_there_is() -> None:
    """A worker lives whatever its engines do, and is asked by TLS."""
    (service,) = templates()["Deployment/authmatch"]["containers"]
    paths = set(create_app().openapi()["paths"])
    probes = {
        name: service[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert {each["path"] for each in probes.values()} <= paths
    assert probes["liveness"]["path"] == probes["startup"]["path"] == "/health/live"
    assert probes["readiness"]["path"] == "/health/ready"
    assert {each["scheme"] for each in probes.values()} == {"HTTPS"}
    assert {each["port"] for each in probes.values()} == {service["ports"][0]["name"]}
    assert str(service["ports"][0]["containerPort"]) in service["args"]


def test_a_pod_has_the_time_to_end() -> None:
    """To be taken out of the balance, and to finish what was begun."""
    pod = templates()["Deployment/authmatch"]
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= before + 2 * GRACE_SECONDS


@pytest.mark.parametrize(("name", "container"), [*containers()], ids=lambda each: str(each)[:40])
def test_a_container_may_do_nothing_that_it_needs_not(name: str, container: Manifest) -> None:
    """As in `docker-compose.yml`; memory is bounded, and the command is one that there is."""
    guarded, pod = container["securityContext"], templates()[name]
    assert guarded["readOnlyRootFilesystem"]
    assert not guarded["allowPrivilegeEscalation"]
    assert guarded["capabilities"] == {"drop": ["ALL"]}
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert {"memory"} <= set(container["resources"]["limits"])
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert container["args"][0] == "authmatch"
    assert container["args"][1] in COMMANDS


def test_pods_are_there_while_nodes_are_emptied_and_load_moves() -> None:
    """The budget, the scaling and the service are of the deployed pods, of which there are some."""
    deployed, budget = (
        manifests()["Deployment/authmatch"],
        manifests()["PodDisruptionBudget/authmatch"],
    )
    scaling = manifests()["HorizontalPodAutoscaler/authmatch"]["spec"]
    labels = deployed["spec"]["template"]["metadata"]["labels"]
    assert deployed["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert manifests()["Service/authmatch"]["spec"]["selector"].items() <= labels.items()
    assert "replicas" not in deployed["spec"], "else each apply would undo the scaling"
    assert scaling["scaleTargetRef"]["name"] == deployed["metadata"]["name"]
    assert 2 <= scaling["minReplicas"] < scaling["maxReplicas"]
    assert budget["spec"]["maxUnavailable"] < scaling["minReplicas"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here")
def test_kustomize_builds_what_fits_the_schema(tmp_path: Any) -> None:
    """With labels and the image put in; it needs no cluster."""
    built = subprocess.run(("kubectl", "kustomize", BASE), capture_output=True, check=True)
    made = list(YAML(typ="safe").load_all(built.stdout))
    assert len(made) == len(manifests())
    for each in made:
        kubernetes_validate.validate(each, VERSIONS[-1], strict=True)
