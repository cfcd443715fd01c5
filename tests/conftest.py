"""What all tests share: where the repository is, repeatable property tests, and a real PostgreSQL server."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

# A failure must be repeatable by whoever reads it, and a slow machine isn't a failure.
settings.register_profile("edca", derandomize=True, deadline=None, database=None)
settings.load_profile("edca")

_NOBODY = 65534


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root folder of the repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """A PostgreSQL server of this test run's own: the folder of its socket. It listens on no port.

    The programs come with the package `pgserver`; its own way to start them keeps servers of former runs.
    """
    found = find_spec("pgserver")
    assert found is not None and found.origin is not None, "install the development dependencies: pgserver is missing"
    programs = Path(found.origin).parent / "pginstall" / "bin"
    folder = Path(tempfile.mkdtemp(prefix="edca-pg-"))
    # PostgreSQL doesn't run as root.
    user = _NOBODY if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user, user)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            cwd=folder,
            user=user,
            group=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )

    run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
    run("pg_ctl", "-D", str(data), "-w", "-t", "60", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield folder
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Path) -> Iterator[Callable[[], str]]:
    """Makes empty databases: each call returns the SQLAlchemy URL of a new one, which is dropped after the test."""
    import psycopg  # noqa: PLC0415  # only these tests need it

    made: list[str] = []
    administrator = f"host={postgres_server} user=postgres dbname=postgres"

    def make() -> str:
        name = f"t_{secrets.token_hex(6)}"
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        made.append(name)
        return f"postgresql+psycopg://postgres@/{name}?host={postgres_server}"

    yield make
    with psycopg.connect(administrator, autocommit=True) as connection:
        for name in made:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
