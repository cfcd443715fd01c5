"""A PostgreSQL server of the tests' own: started from the pip package `pgserver`, in a folder of its own.

Only the package's programs are used. The server runs as an unprivileged account where the tests run as root, since it
refuses to run as root; so its folder belongs to that account.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

_NOBODY = 65534
_START_S = 60.0


def programs() -> Path | None:
    """Return the folder of the server's programs, null where the package is not installed."""
    found = find_spec("pgserver")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


class Server:
    """A running server, reached through a socket in its folder."""

    def __init__(self, programs: Path) -> None:
        """Make a new database cluster and start it."""
        self._programs = programs
        self._user = _NOBODY if os.geteuid() == 0 else None
        # A socket's path has at most 107 bytes, and every folder above must let the account pass.
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self._data = self._folder / "d"
        if self._user is not None:
            os.chown(self._folder, self._user, -1)
        initdb = [programs / "initdb", "-D", self._data, "-U", "edca", "-A", "trust", "-E", "UTF8", "--no-sync"]
        self._run([*initdb, "--locale=C"])
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self._folder}'\nshared_buffers = '32MB'\n"
                "max_connections = 120\nlogging_collector = off\nlog_min_messages = fatal\n"
                # After a crash it would else sync each of its files, one after the other.
                "recovery_init_sync_method = syncfs\n"
            )
        self.start()

    @property
    def dsn(self) -> str:
        """What a client connects with."""
        return f"postgresql:///postgres?host={self._folder}&user=edca"

    @property
    def folder(self) -> Path:
        """Where its socket is."""
        return self._folder

    @property
    def data(self) -> Path:
        """Where all is that it keeps."""
        return self._data

    def start(self) -> None:
        """Start it, also after it was killed; what it has written is recovered first."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data], stdout=log, stderr=log, user=self._user, cwd="/"
            )
        until = time.monotonic() + _START_S
        ready = [self._programs / "pg_isready", "-q", "-h", self._folder, "-U", "edca", "-d", "postgres"]
        while subprocess.run(ready, check=False, user=self._user, cwd="/").returncode:
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it as a crash would: the postmaster and all that it has started, without a word to anybody."""
        self._process.send_signal(signal.SIGSTOP)  # so that it starts nothing while what it has started is listed
        told = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self._process.pid)], check=False, capture_output=True, text=True
        )
        children = [int(pid) for pid in told.stdout.split()]
        for pid in (self._process.pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        until = time.monotonic() + _START_S
        while any(map(_is_there, children)) and time.monotonic() < until:
            time.sleep(0.005)
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it, and remove all that it has kept."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, command: list[object]) -> None:
        made = subprocess.run(
            [str(part) for part in command], check=False, capture_output=True, text=True, user=self._user, cwd="/"
        )
        if made.returncode:
            raise RuntimeError(made.stderr)


def _is_there(pid: int) -> bool:
    """Tell whether a process runs, and is not only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
