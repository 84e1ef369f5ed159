"""Processes and files under the engines: told apart, checked, and never left behind."""

import hashlib
import os
import signal
import stat
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from authmatch_local import engines
from authmatch_local.engines import supervision
from authmatch_local.engines.account import Account, make_cache
from authmatch_local.engines.download import fetch_checked, unpack
from authmatch_local.engines.engine import Launch
from authmatch_local.engines.home import Home
from authmatch_local.engines.process import Process

OWN = Account(uid=os.geteuid(), gid=os.getegid(), is_foreign=False)
AN_EARLIER_LIFE = 1.0
"""A start that no process of this machine has."""
NOBODY = Account(uid=65534, gid=65534, is_foreign=True)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that no engine of ours may touch."""
    with subprocess.Popen(["sleep", "60"]) as child:
        yield child
        child.kill()


def process_of(child: subprocess.Popen[bytes]) -> Process:
    """The identity of a child that lives."""
    found = Process.of(child.pid)
    assert found is not None
    return found


class TestProcess:
    """A process is its number and its start."""

    def test_a_recycled_number_is_not_killed(self, stranger: subprocess.Popen[bytes]) -> None:
        """The number is right, the start is not: it is somebody else now."""
        remembered = Process(pid=stranger.pid, started=AN_EARLIER_LIFE)

        remembered.end(seconds_max=1)
        remembered.kill()

        assert not remembered.is_alive
        assert stranger.poll() is None

    def test_a_home_does_not_take_a_stranger_for_its_engine(
        self, tmp_path: Path, stranger: subprocess.Popen[bytes]
    ) -> None:
        """Neither found nor stopped, though state file and pid file name its number."""
        home = Home(cache=tmp_path, name="run")
        folder = home.engine_folder("redis")
        folder.mkdir(parents=True)
        home.remember("redis", 20_000, Process(pid=stranger.pid, started=AN_EARLIER_LIFE))
        (folder / "pid").write_text(str(stranger.pid))

        assert engines.status(tmp_path).redis is None
        assert engines.stop(tmp_path) is False
        assert stranger.poll() is None

    def test_a_process_that_ignores_the_request_is_killed(self) -> None:
        """SIGTERM first, SIGKILL after the time limit."""
        command = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()

            process_of(child).end(seconds_max=0.2)

            assert child.wait() == -signal.SIGKILL

    def test_a_process_that_nobody_waited_for_is_dead(self) -> None:
        """A zombie keeps its number, but lives no more."""
        with subprocess.Popen(["sleep", "60"]) as child:
            identity = process_of(child)
            assert identity.is_alive
            identity.kill()
            assert not identity.is_alive

    def test_a_process_is_known_by_its_number_and_its_start(
        self, stranger: subprocess.Popen[bytes]
    ) -> None:
        """Read again from the system it is the same; with another start it is not."""
        identity = process_of(stranger)

        assert identity.is_alive
        assert identity == process_of(stranger)
        assert not Process(pid=stranger.pid, started=AN_EARLIER_LIFE).is_alive
        identity.kill()
        assert not identity.is_alive


class TestDownload:
    """What is fetched is what was meant, also out of the cache."""

    RIGHT = b"the right bytes"
    SHA256 = hashlib.sha256(RIGHT).hexdigest()

    def fetch(self, tmp_path: Path, *contents: bytes | OSError) -> tuple[Path, list[str]]:
        """Fetch from a cache in front of a source that serves `contents` one after another."""
        told: list[str] = []
        served = iter(contents)
        cached = tmp_path / "program.zip"

        def resolve() -> Path:
            if not cached.exists():
                content = next(served)
                if isinstance(content, OSError):
                    raise content
                cached.write_bytes(content)
            return cached

        return fetch_checked(resolve, sha256=self.SHA256, progress=told.append), told

    def test_a_right_file_is_used_as_it_is(self, tmp_path: Path) -> None:
        """No second fetch, nothing told."""
        path, told = self.fetch(tmp_path, self.RIGHT)
        assert (path.read_bytes(), told) == (self.RIGHT, [])

    def test_a_damaged_cached_file_is_fetched_anew(self, tmp_path: Path) -> None:
        """A download that broke off, or a disk that failed."""
        (tmp_path / "program.zip").write_bytes(b"half a fi")
        path, told = self.fetch(tmp_path, self.RIGHT)
        assert path.read_bytes() == self.RIGHT
        assert told == ["program.zip is damaged, fetching it anew"]

    def test_a_file_that_stays_wrong_is_refused(self, tmp_path: Path) -> None:
        """Not the file that was meant: an error, and nothing of it is kept."""
        with pytest.raises(engines.EngineError, match="has not the SHA-256"):
            self.fetch(tmp_path, b"other bytes", b"other bytes", self.RIGHT)
        assert not (tmp_path / "program.zip").exists()

    def test_a_broken_line_is_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A few times, then the reason is told."""
        monkeypatch.setattr(time, "sleep", lambda _: None)
        broken = ConnectionError("reset by peer")
        path, told = self.fetch(tmp_path, broken, broken, self.RIGHT)
        assert path.read_bytes() == self.RIGHT
        assert len(told) == 2

        path.unlink()
        with pytest.raises(engines.EngineError, match="reset by peer"):
            self.fetch(tmp_path, broken, broken, broken)

    def test_programs_can_be_run_after_unpacking(self, tmp_path: Path) -> None:
        """The archive's rights to run are kept, and everybody may read."""
        archive = tmp_path / "program.zip"
        with zipfile.ZipFile(archive, "w") as zipped:
            for name, mode in (("bin/start", 0o700), ("lib/notes", 0o600)):
                entry = zipfile.ZipInfo(name)
                entry.external_attr = (stat.S_IFREG | mode) << 16
                zipped.writestr(entry, "#!/bin/sh\n")

        unpack(archive, tmp_path / "program")

        modes = [
            (tmp_path / "program" / name).stat().st_mode for name in ("bin/start", "lib/notes")
        ]
        assert [mode & 0o555 for mode in modes] == [0o555, 0o444]


class TestAccount:
    """Root's engines run as nobody, who must reach what they need."""

    def test_a_cache_behind_a_closed_door_is_refused(self, tmp_path: Path) -> None:
        """The reason names the setting that helps."""
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(engines.EngineError, match="set AUTHMATCH_CACHE"):
            make_cache(closed / "cache", NOBODY)
        make_cache(closed / "cache", OWN)

    def test_a_runtime_behind_a_closed_door_is_copied(self, tmp_path: Path) -> None:
        """The copy can be read and run by everybody, and is made once."""
        runtime = tmp_path / "closed" / "runtime"
        runtime.mkdir(parents=True)
        (runtime / "java").write_text("#!/bin/sh\n")
        (runtime / "java").chmod(0o700)
        copy_to = tmp_path / "copy"

        assert OWN.reachable(runtime, copy_to=copy_to) == runtime
        assert NOBODY.reachable(runtime, copy_to=copy_to) == copy_to
        assert (copy_to / "java").stat().st_mode & 0o777 == 0o755
        assert NOBODY.reachable(runtime, copy_to=copy_to) == copy_to
        assert list(tmp_path.glob(".copy*")) == []


@dataclass(frozen=True)
class ShellScript:
    """A kind of engine that is a line of shell and never answers."""

    script: str
    name: str = "script"
    boot_seconds_max: float = 1

    def launch(self, folder: Path, port: int) -> Launch:
        """Run the line in the engine's folder."""
        return Launch(
            command=("/bin/sh", "-c", self.script),
            environment={"PATH": "/usr/bin:/bin"},
            pid_file=folder / "pid",
            logs=(folder / "launch.log",),
        )

    def url(self, port: int) -> str:
        """No one connects to it."""
        return f"tcp://127.0.0.1:{port}"

    def answers(self, port: int) -> bool:
        """It never does."""
        return False


class TestBoot:
    """A start that fails says why, and leaves nothing running."""

    @pytest.mark.parametrize(
        ("script", "reason"),
        [
            ("echo bad option; exit 3", "ended while it was started\nbad option"),
            ("sh -c 'echo $$ > pid; echo out of memory' & sleep 0.5", "ended.*\nout of memory"),
            ("echo waiting; sleep 60 & echo $! > pid", "did not answer within 1 s\nwaiting"),
            ("echo $$ > pid; exec sleep 60", "did not answer within 1 s"),
        ],
    )
    def test_the_reason_and_the_end_of_the_log_are_told(
        self, tmp_path: Path, script: str, reason: str
    ) -> None:
        """Refused, died, hung as a daemon, hung while it was launched."""
        home = Home(cache=tmp_path, name="run")
        with pytest.raises(engines.EngineError, match=reason) as failure:
            supervision.ensure(home, ShellScript(script), OWN, progress=lambda _: None)

        assert "\n" not in failure.value.reason
        pid_file = home.engine_folder("script") / "pid"
        assert not pid_file.exists() or Process.of(int(pid_file.read_text())) is None

    def test_a_program_that_is_missing_is_named(self, tmp_path: Path) -> None:
        """The command itself cannot be run."""

        class Missing(ShellScript):
            def launch(self, folder: Path, port: int) -> Launch:
                return Launch(
                    command=("/no/such/program",),
                    environment={},
                    pid_file=folder / "pid",
                    logs=(folder / "launch.log",),
                )

        with pytest.raises(engines.EngineError, match="/no/such/program cannot be run"):
            supervision.ensure(
                Home(cache=tmp_path, name="run"), Missing(""), OWN, progress=lambda _: None
            )
