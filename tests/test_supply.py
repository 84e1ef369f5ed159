"""What the service is made of: known faults stop the checks, and every part is listed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.supply import OFFLINE, audit, bill_of, judge, licences_of, pinned, write_bill

ROOT = Path(__file__).parents[1]
LOCKS = [ROOT / name for name in ("requirements.lock", "requirements-build.lock")]
SERVICE, OTEL = (ROOT / f"requirements-{name}.lock" for name in ("service", "otel"))


def told(*dependencies: dict[str, Any]) -> dict[str, Any]:
    """What pip-audit writes."""
    return {"dependencies": list(dependencies), "fixes": []}


KNOWN = {"name": "h11", "version": "0.14.0", "vulns": [{"id": "PYSEC-1"}]}
CLEAN = {"name": "h11", "version": "0.14.0", "vulns": []}
SKIPPED = {"name": "h11", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("pins", "answer", "faults", "has_reason"),
    [
        ({"h11": "0.14.0"}, told(KNOWN), ["h11 0.14.0: PYSEC-1"], False),
        ({"h11": "0.14.0"}, told(CLEAN), [], False),
        (
            {"h11": "0.14.0"},
            told(SKIPPED),
            ["h11 0.14.0: CVE-2025-43859, mended in 0.16.0"],
            True,
        ),
        ({"h11": "0.16.0"}, told(SKIPPED), [], True),
        ({"h11": "0.16.0"}, None, [], True),
        ({"h11": "0.9"}, None, ["h11 0.9: CVE-2025-43859, mended in 0.16.0"], True),
        (
            {"h11": "0.16.0", "urllib3": "2.6.1"},
            told(CLEAN),
            ["urllib3 2.6.1: CVE-2026-21441, mended in 2.6.3"],
            True,
        ),
        ({"starlette": "0.46.2"}, None, 3, True),
        ({"nobody-knows": "1"}, None, [], True),
        ({}, None, [], False),
    ],
)
def test_a_known_fault_is_found_with_the_index_and_without(
    pins: dict[str, str], answer: dict[str, Any] | None, faults: Any, has_reason: bool
) -> None:
    """What the index says goes first; of the rest the offline data, and why they were taken."""
    found = judge(pins, answer, "no way there")

    if isinstance(faults, int):
        assert len(found.faults) == faults
    else:
        assert list(found.faults) == faults
    assert (found.reason is not None) == has_reason
    if has_reason:
        as_of = json.loads(OFFLINE.read_text(encoding="utf-8"))["as_of"]
        assert as_of in str(found.reason)
        assert "no way there" in str(found.reason)


def test_the_locks_have_no_known_fault() -> None:
    """By the offline data, whatever can be reached."""
    for lock in (*LOCKS, SERVICE, OTEL):
        assert judge(pinned(lock), None, "offline").faults == ()


def test_the_offline_data_are_of_packages_that_are_locked() -> None:
    """One that has gone from the locks says nothing of what runs."""
    told = json.loads(OFFLINE.read_text(encoding="utf-8"))["advisories"]
    locked = {name for lock in (*LOCKS, SERVICE) for name in pinned(lock)}
    assert {each["package"] for each in told} - locked == set()


def test_the_audit_ends_with_what_it_found(tmp_path: Path) -> None:
    """A lock with an old package, as `make audit` reads it: exit code 1, and its name."""
    lock = tmp_path / "old.lock"
    lock.write_text(f"h11==0.14.0 \\\n    --hash=sha256:{'0' * 64}\n", encoding="utf-8")

    ended = subprocess.run(
        (sys.executable, "-m", "tools.supply", "audit", str(lock)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "known fault: h11 0.14.0" in ended.stderr


def test_without_an_index_the_audit_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No way out of this machine: the reason is told, and nothing fails for it."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    lock = tmp_path / "new.lock"
    lock.write_text(f"h11==0.16.0 \\\n    --hash=sha256:{'0' * 64}\n", encoding="utf-8")

    found = audit([lock])

    assert found.faults == ()
    assert str(found.reason).startswith("1 of 1 packages by the data of ")


def test_the_bill_names_every_package_of_the_image(tmp_path: Path) -> None:
    """CycloneDX of what the lock of the service says, with licences; nothing of the developer's."""
    write_bill(SERVICE, tmp_path)

    bill = json.loads((tmp_path / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    named = {each["name"].lower().replace("_", "-") for each in bill["components"]}
    assert {each.replace(".", "-") for each in named} == set(pinned(SERVICE, here=True))
    assert "pytest" not in named
    assert bill["metadata"]["component"]["name"] == "authmatch"
    licences = (tmp_path / "licences.md").read_text(encoding="utf-8")
    assert licences.count("\n") == len(named) + 2
    silent = [line.split()[1] for line in licences.splitlines() if "not told" in line]
    assert silent == ["zen-engine"], "its package says nothing"


def test_a_bill_of_another_environment_is_refused() -> None:
    """One that is not what the lock says would be a false one."""
    bill = {
        "metadata": {"component": {"bom-ref": "root"}},
        "components": [{"name": "A", "version": "1", "bom-ref": "a"}],
        "dependencies": [],
    }
    assert licences_of(bill_of(bill, {"a": "1"})).endswith("| A | 1 | not told |\n")
    for pins in ({"a": "2"}, {"b": "1"}):
        with pytest.raises(ValueError, match="not installed as the lock says"):
            bill_of(bill, pins)


def test_an_image_with_telemetry_has_the_same_and_more() -> None:
    """All of the versions that are tested."""
    locked, tested = pinned(OTEL), pinned(LOCKS[0])
    assert pinned(SERVICE).items() < locked.items()
    assert locked.items() <= tested.items()
    assert "opentelemetry-sdk" in locked
    assert "pytest" not in locked


@pytest.mark.parametrize("lock", [*LOCKS, SERVICE, OTEL], ids=lambda lock: lock.name)
def test_every_package_of_a_lock_has_its_hashes_and_no_address(lock: Path) -> None:
    """So that nothing else can be installed, from wherever."""
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    blocks = [each for each in text.split("\n") if "==" in each and not each.startswith((" ", "#"))]
    assert blocks
    assert all(each.endswith("\\") for each in blocks)
    assert len(pinned(lock)) >= len({each.partition("==")[0] for each in blocks})
