"""What the service is made of: known faults of its packages, a list of them, their licences.

`python -m tools.supply audit LOCK ...` ends with 1 where a package has a known fault. It asks the
advisories of the package index; what that does not know is held against those of `advisories.json`,
and the reason is told. `python -m tools.supply sbom LOCK FOLDER` writes CycloneDX and licences.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
OFFLINE = Path(__file__).with_name("advisories.json")
AUDIT_S_MAX = 300
_PINNED = re.compile(
    r"^([A-Za-z0-9._\-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?: ; ([^\\\n]+))?", re.MULTILINE
)

Pins = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Audit:
    """Faults that were found, and why packages were held against the offline data, if any were."""

    faults: tuple[str, ...]
    reason: str | None


def pinned(lock: Path, *, here: bool = False) -> dict[str, str]:
    """The packages of a lock with their versions: all, or those for a system like this one."""
    found = _PINNED.findall(lock.read_text(encoding="utf-8"))
    return {
        str(canonicalize_name(name)): version
        for name, version, marker in found
        if not (here and marker) or Marker(marker.strip()).evaluate()
    }


def judge(pins: Pins, told: Mapping[str, Any] | None, why: str = "") -> Audit:
    """What an audit told of the packages, or the offline data of those that it does not know."""
    known = {
        str(canonicalize_name(each["name"])): each.get("vulns", [])
        for each in (told or {"dependencies": []})["dependencies"]
        if "skip_reason" not in each
    }
    faults = [
        f"{name} {pins.get(name, '')}: {vuln['id']}"
        for name, vulns in known.items()
        for vuln in vulns
    ]
    left = {name: version for name, version in pins.items() if name not in known}
    if not left:
        return Audit(tuple(sorted(faults)), None)
    offline = json.loads(OFFLINE.read_text(encoding="utf-8"))
    faults += _offline(left, offline["advisories"])
    why = why or "the package index has no advisories of them"
    reason = f"{len(left)} of {len(pins)} packages by the data of {offline['as_of']}: {why}"
    return Audit(tuple(sorted(faults)), reason)


def _offline(pins: Pins, advisories: Iterable[Mapping[str, str]]) -> Iterator[str]:
    for each in advisories:
        version = pins.get(each["package"])
        if version is not None and Version(version) < Version(each["fixed"]):
            yield f"{each['package']} {version}: {each['id']}, mended in {each['fixed']}"


def audit(locks: Sequence[Path]) -> Audit:
    """Ask for known faults of all that the locks name."""
    pins = {name: version for lock in locks for name, version in pinned(lock).items()}
    named = [word for lock in locks for word in ("-r", str(lock))]
    program = Path(sys.executable).with_name("pip-audit")
    options = ["--require-hashes", "--disable-pip", "-f", "json", "--progress-spinner", "off"]
    try:
        answer = subprocess.run(  # noqa: S603 - of this environment, no shell
            [program, *named, *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=AUDIT_S_MAX,
        )
        return judge(pins, json.loads(answer.stdout))
    except subprocess.TimeoutExpired:
        return judge(pins, None, "the package index did not answer in time")
    except (OSError, ValueError) as error:
        said = answer.stderr.strip().splitlines() if isinstance(error, ValueError) else [str(error)]
        return judge(pins, None, said[-1] if said else "pip-audit said nothing")


def write_bill(lock: Path, folder: Path) -> None:
    """Write the components of a lock as installed here: CycloneDX, and a list of licences."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    options = ["--output-reproducible", "--pyproject", str(ROOT / "pyproject.toml")]
    answer = subprocess.run(  # noqa: S603 - of this environment, no shell
        [program, "environment", *options, sys.executable],
        capture_output=True,
        text=True,
        check=True,
    )
    folder.mkdir(parents=True, exist_ok=True)
    bill = bill_of(json.loads(answer.stdout), pinned(lock, here=True))
    (folder / "sbom.cdx.json").write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    (folder / "licences.md").write_text(licences_of(bill), encoding="utf-8")


def bill_of(bill: Mapping[str, Any], pins: Pins) -> dict[str, Any]:
    """The bill of an environment, without what is only of its developer.

    Raises ValueError where a package of the lock is not installed in that version.
    """
    here = {str(canonicalize_name(each["name"])): each for each in bill["components"]}
    kept = [here[name] for name in sorted(pins) if name in here]
    wrong = [name for name in pins if here.get(name, {}).get("version") != pins[name]]
    if wrong:
        raise ValueError(f"not installed as the lock says: {', '.join(sorted(wrong))}")
    root = bill["metadata"]["component"]["bom-ref"]
    refs = {root, *(each["bom-ref"] for each in kept)}
    dependencies = [
        {**each, "dependsOn": [ref for ref in each.get("dependsOn", []) if ref in refs]}
        for each in bill["dependencies"]
        if each["ref"] in refs
    ]
    return {**bill, "components": kept, "dependencies": dependencies}


def licences_of(bill: Mapping[str, Any]) -> str:
    """A table of all components with their licences."""
    lines = ["| package | version | licence |", "| --- | --- | --- |"]
    for each in bill["components"]:
        named = [
            one.get("expression") or one["license"].get("id") or one["license"].get("name", "")
            for one in each.get("licenses", [])
        ]
        shown = "; ".join(dict.fromkeys(name.splitlines()[0] for name in named if name))
        lines.append(f"| {each['name']} | {each['version']} | {shown or 'not told'} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Audit locks, or write a bill; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    ways = parser.add_subparsers(dest="way", required=True)
    ways.add_parser("audit").add_argument("locks", type=Path, nargs="+")
    bill = ways.add_parser("sbom")
    bill.add_argument("lock", type=Path)
    bill.add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.way == "sbom":
        write_bill(given.lock, given.folder)
        return 0
    found = audit(given.locks)
    if found.reason:
        sys.stderr.write(f"audited without the index: {found.reason}\n")
    for fault in found.faults:
        sys.stderr.write(f"known fault: {fault}\n")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
