"""Databases for the tests: a real PostgreSQL of each worker's own, and a fresh database of either engine for each
test. What all workers need alike is made once a run.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import fcntl
import getpass
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from cti_server.demo.ports import free_ports
from cti_server.record import migrate
from cti_server.record.database import Database
from tests.spread import Spread, longest_first

INSTALL = "apt-get install -y --no-install-recommends postgresql"
START_WITHIN_S = 30


class PostgresServer:
    """A PostgreSQL of our own in a temporary folder on 127.0.0.1. It ends with this process, whatever ends
    that.
    """

    AUTHENTICATION: tuple[str, ...] = ("--auth=trust",)
    SOCKETS = False
    """Whether it has a socket, in its folder."""

    def __init__(self, template: Path | None = None) -> None:
        """With `template`, what `save` wrote, it has the databases of the server that was saved."""
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
            if template is None:
                self._create()
            else:
                subprocess.run(["cp", "-a", "--reflink=auto", str(template), str(self._data)], check=True)
            self._start()
        except BaseException:
            self.stop()
            raise

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _create(self) -> None:
        options = (*self.AUTHENTICATION, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--wal-segsize=1")
        subprocess.run(
            self._as_user(str(self.bin / "initdb"), "-D", str(self._data), "-U", "cti", *options),
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )

    def _start(self) -> None:
        with free_ports(1) as (self.port,):
            pass
        if not self._serves():
            pytest.fail(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}", pytrace=False)

    def save(self, template: Path) -> None:
        """Ends the server, and leaves its databases for others to begin with."""
        self._end()
        subprocess.run(["cp", "-a", "--reflink=auto", str(self._data), str(template)], check=True)
        self.stop()

    def _serves(self) -> bool:
        """Start the server; true once it answers, false when it ended."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder) if self.SOCKETS else "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "60",
            "shared_buffers": "64MB",
        }
        options = itertools.chain.from_iterable(("-c", f"{name}={value}") for name, value in settings.items())
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._as_user(str(self.bin / "postgres"), "-D", str(self._data), *options),
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
        subprocess.run(self._psql(sql, database), check=True, stdout=subprocess.DEVNULL)

    def asked(self, sql: str, database: str = "postgres") -> str:
        """What a query answers, its rows as lines."""
        said = subprocess.run([*self._psql(sql, database), "-At"], check=True, capture_output=True, text=True)
        return said.stdout.strip()

    def _psql(self, sql: str, database: str) -> list[str]:
        command = [str(self.bin / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        return [*command, "-U", "cti", "-d", database, "-c", sql]

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

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Nobody reaches it meanwhile; afterwards it is there again, on the same port, with all that it had. To be
        entered in the main thread: the server ends with the thread that starts it."""
        self._end()
        try:
            yield
        finally:
            assert self._serves(), (self.folder / "log").read_text()

    def stop(self) -> None:
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)  # "fast": open connections are cut
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class PeerServer(PostgresServer):
    """As distributions set it up: by its socket whoever runs a program is let in under that name, without a
    password. Only the tests themselves come by TCP, as its superuser."""

    AUTHENTICATION = ("--auth-local=peer", "--auth-host=trust")
    SOCKETS = True

    def by_socket(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.folder}&port={self.port}"


def _newest_postgresql() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not found:
        pytest.fail(f"these tests need PostgreSQL, a real one; as root: {INSTALL}", pytrace=False)
    return found[-1].parent


# --- workers beside each other -----------------------------------------------------------------------------


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Spread:
    return Spread(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        longest_first(items)


def once_a_run(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A file or folder that whoever needs it first makes, and all workers of this run use."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            half = shared / f"{name}.half"  # of whoever failed at it: the next one tries again
            shutil.rmtree(half, ignore_errors=True)
            make(half)
            half.rename(made)
    return made


# --- databases ---------------------------------------------------------------------------------------------


def _migrated_postgres(template: Path) -> None:
    server = PostgresServer()
    try:
        server.execute("CREATE DATABASE migrated")
        asyncio.run(migrate.upgrade(server.url("migrated")))
        server.save(template)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL server for this worker, with a migrated template database."""
    server = PostgresServer(once_a_run(tmp_path_factory, "postgres", _migrated_postgres))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def peer_server() -> Iterator[PeerServer]:
    """A PostgreSQL in which whoever runs the tests has a role."""
    server = PeerServer()
    try:
        server.folder.chmod(0o711)
        server.execute(f'CREATE ROLE "{getpass.getuser()}" LOGIN')
        yield server
    finally:
        server.stop()


@pytest.fixture
def peer_url(peer_server: PeerServer) -> Iterator[str]:
    """An empty database of whoever runs the tests: `postgresql:///name`, by the socket."""
    with peer_server.database() as url:
        name = url.rpartition("/")[2]
        peer_server.execute(f'ALTER DATABASE {name} OWNER TO "{getpass.getuser()}"')
        yield peer_server.by_socket(name)


def _migrated_sqlite(template: Path) -> None:
    template.mkdir()
    asyncio.run(migrate.upgrade(f"sqlite:///{template / 'migrated.db'}"))


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once_a_run(tmp_path_factory, "sqlite", _migrated_sqlite) / "migrated.db"


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
