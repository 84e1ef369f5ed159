"""A Redis of a test alone, on a port and in a folder of its own: to be killed and started again."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from authmatch_local import engines
from authmatch_local.engines.account import Account
from authmatch_local.engines.redis_server import redis_server

START_S = 30

# Below those that the system gives to outgoing connections: while a server is down, no client that
# looks for it can take its port, or be connected to itself.
PORTS = range(15_000, 30_000)

# Notes how much of a file was on the disk each time that the system confirmed it: so that more
# than that can be taken away from it after a kill, as an outage of power would.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int sync_and_note(int fd, const char *name) {
    struct stat before;
    int known = fstat(fd, &before) == 0;
    int (*sync_file)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = sync_file(fd);
    if (result == 0 && known) {
        int notes = open(getenv("SYNCED_NOTES"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (notes >= 0) {
            dprintf(notes, "%lu %ld\n", (unsigned long)before.st_ino, (long)before.st_size);
            close(notes);
        }
    }
    return result;
}

int fsync(int fd) { return sync_and_note(fd, "fsync"); }
int fdatasync(int fd) { return sync_and_note(fd, "fdatasync"); }
"""


def free_port() -> int:
    """Give a port that is free now, and not taken by chance while its server is down."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise RuntimeError("no port is free")


def compiler() -> str | None:
    """The C compiler of this machine, if it has one that can make what Linux preloads."""
    return (shutil.which("cc") or shutil.which("gcc")) if os.uname().sysname == "Linux" else None


def compiled_shim(folder: Path) -> Path:
    """Compile what notes the syncs of a program."""
    source, shim = folder / "synced.c", folder / "synced.so"
    source.write_text(SHIM, encoding="utf-8")
    subprocess.run(
        [str(compiler()), "-shared", "-fPIC", "-o", str(shim), str(source), "-ldl"], check=True
    )
    return shim


class RedisProcess:
    """One server with the settings of the project, or with some of them changed."""

    def __init__(
        self,
        folder: Path,
        *,
        shim: Path | None = None,
        tls: bool = False,
        program: Path | None = None,
        **options: str,
    ) -> None:
        """Take its folder, which must be there, and options in place of the project's.

        It is the ``program``, else the one of all tests. With ``tls`` it listens by TLS alone, by
        what the options say of it.
        """
        self._port = free_port()
        account = Account(uid=os.geteuid(), gid=os.getegid(), is_foreign=False)
        self._server = redis_server(engines.default_cache(), account, program)
        self._folder = folder
        self._notes = folder / "synced.txt"
        self._shim = shim
        self._options = {"daemonize": "no", **options}
        self._tls = tls
        if tls:
            self._options |= {"port": "0", "tls-port": str(self._port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        if self._tls:
            return f"rediss://localhost:{self._port}/0"
        return self._server.url(self._port)

    def __enter__(self) -> "RedisProcess":
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)

    def start(self) -> None:
        """Start it on what is in its folder; it answers when this returns."""
        launch = self._server.launch(self._folder, self._port)
        command = list(launch.command)
        for name, value in self._options.items():
            command += [f"--{name}", value]
        environment = dict(launch.environment)
        if self._shim is not None:
            environment |= {"LD_PRELOAD": str(self._shim), "SYNCED_NOTES": str(self._notes)}
        self._process = subprocess.Popen(command, env=environment, cwd=self._folder)
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Redis did not start")
            time.sleep(0.02)

    def _answers(self) -> bool:
        """Whether it says anything: where it has users, that it knows none of us."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._port), 2) as line,
        ):
            if self._tls:
                return True
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        return False

    def kill(self) -> None:
        """End it without a word, as a crash would."""
        if self._process is None:
            raise RuntimeError("Redis was not started")
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(START_S)

    def wait_until_ended(self) -> None:
        """Return when it has ended by itself."""
        if self._process is None:
            raise RuntimeError("Redis was not started")
        self._process.wait(START_S)

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Have it do nothing for the time of the block, as while its disk does not answer."""
        if self._process is None:
            raise RuntimeError("Redis was not started")
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def damaged(self) -> Iterator[None]:
        """Have other bytes where a command begins amid its log; then those of before."""
        file = max(self._log_files(), key=lambda each: each.stat().st_size)
        content = file.read_bytes()
        begin = content.index(b"\r\n*", len(content) // 2)
        flipped = bytes(each ^ 0xFF for each in content[begin : begin + 8])
        file.write_bytes(content[:begin] + flipped + content[begin + 8 :])
        try:
            yield
        finally:
            file.write_bytes(content)

    def copy(self, folder: Path) -> None:
        """Copy its log as it is now, while it runs."""
        shutil.copytree(self._folder, folder)

    def put_back(self, folder: Path) -> None:
        """Kill it, and start it on a copy of its log."""
        self.kill()
        shutil.rmtree(self._folder)
        shutil.copytree(folder, self._folder)
        self.start()

    def cut_power(self) -> int:
        """Kill it, and take away all that no completed sync covered; gives how many bytes."""
        self.kill()
        synced, gone = self.synced(), 0
        for file in self._log_files():
            found = file.stat()
            kept = min(found.st_size, synced.get(found.st_ino, 0))
            gone += found.st_size - kept
            os.truncate(file, kept)
        return gone

    def synced(self) -> dict[int, int]:
        """Give how much of each file was on the disk at its last completed sync."""
        if not self._notes.exists():
            return {}
        lines = self._notes.read_text(encoding="ascii").splitlines()
        return {int(inode): int(size) for inode, size in (line.split() for line in lines)}

    def is_synced(self) -> bool:
        """Whether all that was written is on the disk."""
        synced = self.synced()
        states = [file.stat() for file in self._log_files()]
        return all(each.st_size <= synced.get(each.st_ino, 0) for each in states)

    def _log_files(self) -> list[Path]:
        return sorted(self._folder.rglob("*.aof"))
