"""Whatever a person can cause ends in words, with what mends it: never in a traceback, and never by half."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.commands import environment, run
from tests.conftest import PostgresServer

LIST = ("user", "list")
AS_ANYBODY = (
    ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]
    if os.geteuid() == 0
    else []
)


def says(done: subprocess.CompletedProcess[str], *parts: str, status: int = 1) -> None:
    assert done.returncode == status, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr + done.stdout
    assert [part for part in parts if part not in done.stderr] == [], done.stderr


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def as_anybody(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run it with the rights of the files' modes: root's own right to ignore them is taken away."""
    return subprocess.run(
        [*AS_ANYBODY, sys.executable, "-m", "cti_server", *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


# --- SQLite ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        LIST,
        ("serve",),
        ("user", "add", "x", "--name", "X", "--password", "a good one"),
        ("queue", "set", "*", "--wrap-up", "forced"),
        ("import", "customers", __file__),
        ("migrate", "--down", "base", "--yes"),
    ],
)
def test_a_wrong_folder_makes_no_second_database(tmp_path: Path, command: tuple[str, ...]) -> None:
    here = tmp_path / "here"
    here.mkdir()
    file = here / "settings.env"
    file.write_text("CTI_DATABASE_URL=sqlite:///data/cti.db\n")
    done = run(*command, folder=tmp_path, CTI_CONFIG=str(file))
    says(done, f"there is no database {here}/data/cti.db", "cti-server migrate", f"CTI_DATABASE_URL in {file}")
    assert [entry.name for entry in tmp_path.rglob("*")] == ["here", "settings.env"]


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


def older(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0007'")
        database.commit()


def somebody_elses(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE notes (id INTEGER)")


def no_database(file: Path) -> None:
    file.write_text("once upon a time there was a file that was no database at all" * 99)


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (newer, ("at revision 9999", "Install the cti-server that wrote it")),
        (older, ("at revision 0007", "run: cti-server migrate")),
        (somebody_elses, ("the database is empty", "run: cti-server migrate")),
        (no_database, ("is not an SQLite database", "restore a backup")),
    ],
)
@pytest.mark.parametrize("command", [LIST, ("serve",)])
def test_an_sqlite_file_that_cannot_be_used(
    sqlite_url: str, spoil: Callable[[Path], None], parts: tuple[str, ...], command: tuple[str, ...]
) -> None:
    spoil(file_of(sqlite_url))
    says(run(*command, CTI_DATABASE_URL=sqlite_url), *parts)


def test_a_newer_database_is_not_migrated(sqlite_url: str) -> None:
    newer(file_of(sqlite_url))
    says(run("migrate", CTI_DATABASE_URL=sqlite_url), "does not know that revision", "9999")


def test_a_database_that_somebody_holds(sqlite_url: str) -> None:
    file = file_of(sqlite_url)
    with closing(sqlite3.connect(file, isolation_level=None)) as holding:
        holding.execute("PRAGMA journal_mode = WAL")
        holding.execute("BEGIN IMMEDIATE")
        done = run("queue", "add", "support", CTI_DATABASE_URL=sqlite_url)
    says(done, "another process holds", f"fuser -v {file}")


def test_a_database_that_may_only_be_read(sqlite_url: str) -> None:
    file = file_of(sqlite_url)
    file.chmod(0o400)
    done = as_anybody("queue", "add", "support", CTI_DATABASE_URL=sqlite_url)
    says(done, f"{file} cannot be written", f"chmod u+w {file}")


def test_a_folder_in_which_nothing_may_be_made(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = as_anybody("migrate", CTI_DATABASE_URL=f"sqlite:///{tmp_path}/data/cti.db")
    tmp_path.chmod(0o700)
    says(done, "Permission denied", f"{tmp_path} belongs to", "name another place: CTI_DATABASE_URL")


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root cannot give a file to somebody else")
def test_a_database_of_somebody_else(sqlite_url: str) -> None:
    """As when root made it by hand and the server is not root, or the other way round."""
    file = file_of(sqlite_url)
    os.chown(file, 65534, 65534)
    file.chmod(0o600)
    for _ in range(3):  # the driver's thread must not print a traceback of its own, however late it ends
        done = as_anybody(*LIST, CTI_DATABASE_URL=sqlite_url)
        says(done, f"{file} cannot be written by root", "sudo -u nobody cti-server")


# --- PostgreSQL --------------------------------------------------------------------------------------------


def test_no_postgresql_there() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        done = run(*LIST, CTI_DATABASE_URL=f"postgresql://cti:sesame@127.0.0.1:{port}/cti")
    says(done, f"no PostgreSQL answers at 127.0.0.1:{port}", "systemctl start postgresql")
    assert "sesame" not in done.stderr


def test_what_a_postgresql_refuses(postgres_server: PostgresServer) -> None:
    there = postgres_server.url("migrated")
    for url, parts in (
        (postgres_server.url("nowhere"), ("no database nowhere", "createdb -O cti nowhere")),
        (there.replace("cti@", "nobody:x@"), ("refuses the user or password", "ALTER ROLE nobody")),
    ):
        says(run(*LIST, CTI_DATABASE_URL=url), *parts)
    postgres_server.execute("CREATE ROLE guest LOGIN")
    says(run(*LIST, CTI_DATABASE_URL=there.replace("cti@", "guest@")), "does not let guest do that", "GRANT ALL")


def test_the_commands_work_on_postgresql(postgres_url: str) -> None:
    for command in (
        ("user", "add", "alice", "--name", "Alice", "--password", "a good one"),
        ("user", "set", "alice", "--role", "supervisor"),
        ("queue", "add", "support"),
        ("user", "serves", "alice", "support"),
        ("reason", "remove", "lunch"),
        ("code", "add", "technical", "--queue", "support"),
        ("level", "add", "platinum"),
        ("user", "remove", "alice"),
    ):
        assert run(*command, CTI_DATABASE_URL=postgres_url).returncode == 0, command
    assert "alice\tAlice\tsupervisor" in run("user", "list", "--all", CTI_DATABASE_URL=postgres_url).stdout


# --- settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "parts", "status"),
    [
        ({"CTI_DATABASE_URL": "mysql://x/y"}, ("names mysql", "Correct CTI_DATABASE_URL"), 1),
        ({"CTI_DATABASE_URL": "what is this"}, ("not a database URL",), 1),
        ({"CTI_DATABASE_URL": "postgresql://u@h:port/x"}, ("not a database URL",), 1),
        ({"CTI_DATABASE_URL": "sqlite://"}, ("names no file",), 1),
        ({"CTI_HTTP_PORT": "eighty"}, ("CTI_HTTP_PORT",), 2),
        ({"CTI_LOG_LEVEL": "loud"}, ("CTI_LOG_LEVEL=loud", "docs/settings.md says"), 2),
        ({"CTI_CONFIG": "~nobody-of-this-name/x"}, ("~nobody-of-this-name/x",), 2),
        ({"CTI_PBXS": "{"}, ("CTI_PBXS is not the JSON",), 2),
        ({"CTI_PBXS": '[{"name": "a b"}]'}, ("CTI_PBXS_0_NAME",), 2),
        ({"CTI_PBXS": '[{"name": "a"}, {"name": "a"}]'}, ("names a PBX twice",), 2),
        ({"CTI_DEFAULT_REGION": "XX"}, ("CTI_DEFAULT_REGION=XX: XX is no region", "CN, GB or US"), 2),
        ({"CTI_CONFIG": "/nowhere/cti.env"}, ("/nowhere/cti.env", "no such file"), 2),
        ({"CTI_CONFIG": "/"}, ("cannot be read", "Is a directory"), 2),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], parts: tuple[str, ...], status: int) -> None:
    says(run(*LIST, **settings), *parts, status=status)


def test_what_nothing_reads_is_said_by_every_command(sqlite_url: str, tmp_path: Path) -> None:
    """And of a line that cannot be read only its first word, for it may be a secret."""
    file = tmp_path / "cti.env"
    lines = ("# mine", f"CTI_DATABASE_URL={sqlite_url}", "", "foo bar", "CTI_HTP_PORT=1", 'CTI_AMI_SECRET="hush')
    file.write_text("\n".join(lines) + "\n")
    done = run(*LIST, CTI_CONFIG=str(file))
    assert done.returncode == 0, done.stderr
    for part in (
        f"line 4 of {file} sets nothing: foo …. Write NAME=value",
        f"CTI_HTP_PORT ({file}) is not a setting. Write CTI_HTTP_PORT",
        f"line 6 of {file} sets nothing: CTI_AMI_SECRET …",
    ):
        assert part in done.stderr
    assert "hush" not in done.stderr


SECRET = "GE-HEIM"


@pytest.mark.parametrize(
    ("url", "command"),
    [
        (f"postgresql://u:{SECRET}@127.0.0.1:1/db?password={SECRET}", LIST),
        (f"postgresql://u:half@{SECRET}@127.0.0.1:1/db", LIST),
        (f"mysql://u:{SECRET}@h/db", LIST),
        ("sqlite:///none.db", ("move", "--to", f"mysql://u:{SECRET}@h/db")),
        ("sqlite:///none.db", ("move", "--to", f"postgresql://u:{SECRET}@h:port/db")),
        ("sqlite:///none.db", ("move", "--to", f"postgresql://u:half@{SECRET}@127.0.0.1:1/db")),
    ],
)
def test_no_password_is_printed(tmp_path: Path, url: str, command: tuple[str, ...]) -> None:
    (tmp_path / "none.db").touch()
    done = run(*command, folder=tmp_path, CTI_DATABASE_URL=url)
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr


def test_a_terminal_that_knows_ascii_only(sqlite_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cti_server", "level", "list"],
        env=environment(CTI_DATABASE_URL=sqlite_url, PYTHONIOENCODING="ascii"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, "gold" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--asterisk", "docker exec 'x"), "No closing quotation"),
        (("--asterisk", ""), "no such program"),
        (("--asterisk", "no-such-program"), "no such program"),
        (("--host", ".", "--server", "127.0.0.1"), "is not known"),
        (("--host", "127.0.0.9/../../x", "--server", "127.0.0.1"), "is not known"),
        (("--region", "UK", "--yes"), "'UK' is no country"),
    ],
)
def test_an_attachment_that_cannot_be_has_written_nothing(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    etc = tmp_path / "asterisk"
    etc.mkdir()
    done = run(
        "attach", "--etc", str(etc), *options, folder=tmp_path, CTI_CONFIG=str(tmp_path / "settings" / "cti.env")
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert [entry.name for entry in tmp_path.rglob("*")] == ["asterisk"]


@pytest.mark.parametrize("revision", ["@", "0001-01-01", "nonsense"])
def test_a_revision_that_there_is_not(sqlite_url: str, revision: str) -> None:
    says(run("migrate", revision, CTI_DATABASE_URL=sqlite_url), "does not know that revision", "migrate --list")


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_streams_that_are_closed(sqlite_url: str, closed: tuple[int, ...]) -> None:
    """uvloop aborts over a file of its own whose number is below 3."""
    shut = " ".join(f"{stream}>&-" for stream in closed)
    command = f"exec {sys.executable} -m cti_server reason list {shut}"
    done = subprocess.run(["bash", "-c", command], env=environment(CTI_DATABASE_URL=sqlite_url), timeout=60)
    assert done.returncode == 0


def test_a_settings_file_that_may_not_be_read_is_not_left_out(tmp_path: Path) -> None:
    file = tmp_path / "cti.env"
    file.write_text("CTI_HTTP_PORT=8081\n")
    file.chmod(0o000)
    done = as_anybody(*LIST, CTI_CONFIG=str(file))
    says(done, f"the settings in {file} cannot be read: Permission denied", "CTI_CONFIG=", status=2)


@pytest.mark.parametrize("name", ["HTTP", "FASTAGI"])
def test_a_port_that_is_taken(sqlite_url: str, name: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(1)
        port = held.getsockname()[1]
        other = {"CTI_HTTP_PORT": "0", "CTI_FASTAGI_PORT": "0"} | {f"CTI_{name}_PORT": str(port)}
        done = run("serve", CTI_DATABASE_URL=sqlite_url, **other)
    says(done, f"cannot listen on 127.0.0.1:{port}: Address already in use", f"another CTI_{name}_PORT")


@pytest.mark.parametrize(
    ("settings", "parts", "status"),
    [
        ({"CTI_HTTP_HOST": "192.0.2.1"}, ("cannot listen on 192.0.2.1", "CTI_HTTP_HOST"), 1),
        ({"CTI_FASTAGI_HOST": "no.such.host.invalid"}, ("cannot listen on no.such", "CTI_FASTAGI_HOST"), 1),
        ({"CTI_FASTAGI_ALLOW": "127.0.0.1,ten"}, ("CTI_FASTAGI_ALLOW", "ten"), 2),
    ],
)
def test_where_it_cannot_listen(
    sqlite_url: str, settings: dict[str, str], parts: tuple[str, ...], status: int
) -> None:
    free = {"CTI_HTTP_PORT": "0", "CTI_FASTAGI_PORT": "0"}
    says(run("serve", CTI_DATABASE_URL=sqlite_url, **free | settings), *parts, status=status)


# --- files, and people at a prompt -------------------------------------------------------------------------


def test_files_that_cannot_be_imported(sqlite_url: str, tmp_path: Path) -> None:
    locked = tmp_path / "locked.csv"
    locked.write_text("external_ref,kind,name\n")
    locked.chmod(0o000)
    done = as_anybody("import", "customers", str(locked), CTI_DATABASE_URL=sqlite_url)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "not readable" in done.stderr


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, its = pty.openpty()
    yield ours, its
    os.close(ours)


@pytest.mark.parametrize("typed", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_who_gives_up_at_a_prompt_has_changed_nothing(
    sqlite_url: str, terminal: tuple[int, int], typed: bytes
) -> None:
    ours, its = terminal
    command = [sys.executable, "-m", "cti_server", "user", "add", "alice", "--name", "Alice"]
    asking = subprocess.Popen(
        [
            "env",
            "--default-signal=INT",
            "setsid",
            "--ctty",
            "--wait",
            *command,
        ],  # a job in the background ignores it
        env=environment(CTI_DATABASE_URL=sqlite_url),
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    said = until(ours, b"assword: ")  # the space comes once the terminal has been emptied of what was typed before
    os.write(ours, typed)
    said += until(ours, None)
    assert asking.wait(30) != 0
    assert b"Traceback" not in said
    assert run(*LIST, CTI_DATABASE_URL=sqlite_url).stdout.splitlines()[1:] == []


def until(terminal: int, word: bytes | None) -> bytes:
    """What appears up to this word, or to the end."""
    said, deadline = b"", time.monotonic() + 60
    while word is None or word not in said:
        assert time.monotonic() < deadline, said
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # its last user has closed it
            break
        if not chunk:
            break
        said += chunk
    return said


def test_a_server_that_is_told_to_end_ends_quietly(sqlite_url: str) -> None:
    settings = environment(CTI_DATABASE_URL=sqlite_url, CTI_HTTP_PORT="0", CTI_FASTAGI_PORT="0", CTI_AMI_PORT="1")
    serving = subprocess.Popen(
        [sys.executable, "-m", "cti_server", "serve"], env=settings, stderr=subprocess.PIPE, text=True
    )
    assert serving.stderr is not None
    said = []
    for line in serving.stderr:
        said.append(line)
        if "ami.lost" in line or "Uvicorn running" in line or "link" in line:
            break
    serving.send_signal(signal.SIGINT)
    said.append(serving.stderr.read())
    assert serving.wait(30) == 0, said
    assert "Traceback" not in "".join(said)
    assert said[0].startswith("settings: /dev/null   database: ")
