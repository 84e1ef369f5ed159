"""Whose account the engines run under.

Elasticsearch refuses to run as root. Where this program is root (a container, a build machine),
both engines run as `nobody`, who must then be able to reach every file that they need.
"""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from authmatch_local.engines.errors import EngineError

_NOBODY = 65534


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user and group number, and whether it is another one than this program's own."""

    uid: int
    gid: int
    is_foreign: bool

    def own(self, path: Path) -> None:
        """Give `path` and all below it to this account."""
        if not self.is_foreign:
            return
        for place in (path, *path.rglob("*")):
            os.chown(place, self.uid, self.gid, follow_symlinks=False)

    def passes(self, folder: Path) -> bool:
        """Whether the account may pass `folder` and every folder above it.

        Judged by the rights of everybody alone when the account is foreign: a right by group or
        by an access list is not seen, and then a copy is made that was not needed.
        """
        if not self.is_foreign:
            return True
        way = folder.resolve()
        return all(part.stat().st_mode & stat.S_IXOTH for part in (way, *way.parents))

    def reachable(self, path: Path, *, copy_to: Path) -> Path:
        """Return `path`, or where the account cannot reach it, a copy of it at `copy_to`."""
        if self.passes(path.parent) and (not self.is_foreign or _is_open(path)):
            return path
        if not copy_to.exists():
            unfinished = copy_to.with_name(f".{copy_to.name}.{os.getpid()}")
            if path.is_dir():
                shutil.copytree(path, unfinished)
            else:
                shutil.copy(path, unfinished)
            open_to_all(unfinished)
            unfinished.rename(copy_to)
        return copy_to


def engine_account() -> Account:
    """Return the account that the engines run under: this program's own, `nobody` for root."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid(), is_foreign=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(uid=_NOBODY, gid=_NOBODY, is_foreign=True)
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid, is_foreign=True)


def make_cache(cache: Path, account: Account) -> None:
    """Create the cache folder; EngineError when it cannot be made or `account` cannot reach it."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"the cache folder {cache} cannot be made: {error.strerror}") from error
    if account.is_foreign:
        cache.chmod(0o755)
    if not account.passes(cache):
        raise EngineError(
            f"the cache folder {cache} cannot be reached by user {account.uid}, who runs the"
            " engines for root: set AUTHMATCH_CACHE to a folder that everybody may pass"
        )


def open_to_all(path: Path) -> None:
    """Let everybody read `path` and all below it, and run what its owner may run."""
    for place in (path, *path.rglob("*")):
        if not place.is_symlink():
            mode = place.stat().st_mode
            run = stat.S_IXGRP | stat.S_IXOTH if mode & stat.S_IXUSR else 0
            place.chmod(mode | stat.S_IRGRP | stat.S_IROTH | run)


def _is_open(path: Path) -> bool:
    wanted = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    if path.stat().st_mode & wanted != wanted:
        return False
    return not path.is_dir() or all(_is_open(part) for part in path.iterdir())
