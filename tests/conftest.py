"""Databases for the tests: a real PostgreSQL of our own, and a fresh database of either engine for each
test.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import getpass
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from cti_server.record import migrate
from cti_server.record.database import Database

INSTALL = "apt-get install -y --no-install-recommends postgresql"
START_WITHIN_S = 30


class PostgresServer:
    """A PostgreSQL of our own in a temporary folder on 127.0.0.1. It ends with this process, whatever ends
    that.
    """

    def __init__(self) -> None:
        self.bin = _newest_postgresql()
        self.folder = Path(tempfile.mkdtemp(prefix="cti-postgres-"))
        self.port = 0
        self._numbers = itertools.count(1)
        # PostgreSQL refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        data = str(self.folder / "data")
        subprocess.run(
            self._as_user(
                str(self.bin / "initdb"),
                *("-D", data, "-U", "cti", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ),
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
        for _ in range(3):  # somebody may take the free port before PostgreSQL does
            self.port = _free_port()
            if self._serves(data):
                return
        pytest.fail(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}", pytrace=False)

    def _serves(self, data: str) -> bool:
        """Start the server; true once it answers, false when it ended."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "60",
            "shared_buffers": "64MB",
        }
        options = itertools.chain.from_iterable(("-c", f"{name}={value}") for name, value in settings.items())
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._as_user(str(self.bin / "postgres"), "-D", data, *options),
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        ask = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + START_WITHIN_S
        while self._process.poll() is None and time.monotonic() < deadline:
            if subprocess.run(ask, check=False).returncode == 0:
                return self._process.poll() is None
            time.sleep(0.05)
        return False

    def _as_user(self, *command: str) -> list[str]:
        # pdeathsig: the kernel ends the server even when this process is killed
        prefix = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:
            prefix += ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        return [*prefix, *command]

    def execute(self, sql: str, database: str = "postgres") -> None:
        command = [str(self.bin / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        subprocess.run([*command, "-U", "cti", "-c", sql, database], check=True)

    def url(self, name: str) -> str:
        return f"postgresql://cti@127.0.0.1:{self.port}/{name}"

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a new database, which is dropped at the end."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)  # "fast": open connections are cut
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _newest_postgresql() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not found:
        pytest.fail(f"these tests need PostgreSQL, a real one; as root: {INSTALL}", pytrace=False)
    return found[-1].parent


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this session of tests, with a migrated template database."""
    server = PostgresServer()
    try:
        server.execute("CREATE DATABASE migrated")
        asyncio.run(migrate.upgrade(server.url("migrated")))
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    asyncio.run(migrate.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    with postgres_server.database("migrated") as url:
        yield url


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh, migrated SQLite database."""
    shutil.copyfile(_sqlite_template, tmp_path / "cti.db")
    return f"sqlite:///{tmp_path / 'cti.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database: each test that asks for it runs once on either engine."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, of either engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database of `database_url`, open."""
    async with Database(database_url) as opened:
        yield opened


@pytest.fixture
def new_postgres_url(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """Makes another fresh, migrated PostgreSQL database each time it is called."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(postgres_server.database("migrated"))
