"""What the engines are made of: fetched once, checked by its SHA-256, unpacked once."""

import hashlib
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from authmatch_local.engines.account import open_to_all
from authmatch_local.engines.errors import EngineError

Progress = Callable[[str], None]

VERSION = "9.2.4"
"""The version of Elasticsearch that is started."""

# The integration-test distribution: a real node with few modules, published for test suites.
_GROUP = "org.elasticsearch.distribution.integ-test-zip"
_ARTIFACT = "elasticsearch"
_SHA256 = "af7b81fe31627c7523b2546351cd4e47310faa6a72c8db8dc8f7a191e871cfaf"

_TRIES_MAX = 3
_STALLED_SECONDS_MAX = 60


def fetch_checked(fetch: Callable[[], Path], *, sha256: str, progress: Progress) -> Path:
    """Return the file that `fetch` brings, once its SHA-256 is the right one.

    `fetch` may answer from its own cache; a wrong file is removed and fetched anew once. A broken
    line is tried again a few times. EngineError when there is still no right file.
    """
    wrong_files = 0
    for attempt in range(1, _TRIES_MAX + 1):
        try:
            path = fetch()
        except (OSError, RuntimeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            if attempt < _TRIES_MAX:
                progress(f"download failed, trying again ({reason})")
                time.sleep(attempt)
            continue
        if _sha256_of(path) == sha256:
            return path
        path.unlink()
        wrong_files += 1
        reason = f"{path.name} has not the SHA-256 {sha256}"
        if wrong_files > 1:
            break
        progress(f"{path.name} is damaged, fetching it anew")
    raise EngineError(f"download failed: {reason}")


def elasticsearch_home(cache: Path, progress: Progress) -> Path:
    """Return the folder of the unpacked Elasticsearch, fetching and unpacking it when missing.

    The folder is shared by all homes and never written by a node. Call it under the cache's lock.
    """
    home = cache / f"elasticsearch-{VERSION}-{_SHA256[:8]}"
    if home.is_dir():
        return home
    archive = fetch_checked(_fetcher(cache / "maven", progress), sha256=_SHA256, progress=progress)
    progress("unpacking Elasticsearch")
    unfinished = cache / f".unpacking-{os.getpid()}"
    try:
        unpack(archive, unfinished)
        (unfinished / f"elasticsearch-{VERSION}").rename(home)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return home


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip archive into `folder`, keeping the right to run what was made to be run."""
    with zipfile.ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            place = Path(zipped.extract(entry, folder))
            if (entry.external_attr >> 16) & 0o100:
                place.chmod(place.stat().st_mode | 0o100)
    open_to_all(folder)


def _fetcher(repository: Path, progress: Progress) -> Callable[[], Path]:
    def fetch() -> Path:
        try:
            from jgo.maven import MavenContext
        except ImportError as error:
            raise EngineError("the package jgo is missing: install authmatch[local]") from error
        context = MavenContext(repo_cache=repository, timeout=_STALLED_SECONDS_MAX)
        artifact = context.project(_GROUP, _ARTIFACT).at_version(VERSION).artifact(packaging="zip")
        if not any(repository.rglob(f"{_ARTIFACT}-{VERSION}.zip")):
            progress(f"downloading Elasticsearch {VERSION} (100 MB, once)")
        return Path(artifact.resolve())

    return fetch


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
