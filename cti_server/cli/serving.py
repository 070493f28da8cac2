"""serve, doctor: what an administrator runs beside a PBX."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from contextlib import suppress

import structlog
import typer

from cti_server import log
from cti_server.settings import Settings
from cti_server.settings_file import ETC
from cti_server.settings_left_out import left_out

from .common import announce, fail, opened, read_settings, run

LOG = structlog.get_logger()


def serve() -> None:
    """Attach to the PBX that the settings name, and serve the desktop."""
    from cti_server.app import serve as serve_app

    os.umask(0o077)  # what it writes is for it alone
    settings = read_settings(quiet=True)
    log.configure(settings.log_level, settings.log_json)
    if not settings.log_json:
        announce(settings)

    async def serving() -> None:
        async with opened(settings):
            pass  # at the right revision
        _say_where(settings)
        _can_listen(settings)
        await serve_app(settings)

    with suppress(KeyboardInterrupt):
        run(serving(), settings)


def doctor() -> None:
    """Find what stands between the PBX and a card on the screen, and name the line that mends it."""
    from cti_server.doctor import main as examine

    raise typer.Exit(examine(read_settings()))


def _say_where(settings: Settings) -> None:
    from cti_server.record.engines import SAFE_SQLITE, unsafe_sqlite
    from cti_server.record.urls import normalise_url, shown, sqlite_file

    if settings.log_json:  # whoever collects these lines expects nothing else
        LOG.info("settings", file=str(settings.file), database=shown(settings.database_url))
        for one in left_out(os.environ, settings.file):
            LOG.warning("this is no setting", what=one.what, where=one.where, remedy=one.remedy)
    is_sqlite = sqlite_file(normalise_url(settings.database_url)) is not None
    if is_sqlite and (version := unsafe_sqlite()) is not None:
        LOG.warning(
            "this SQLite can corrupt a write-ahead log under load; use a newer one, or PostgreSQL",
            sqlite=version,
            safe_from=".".join(map(str, SAFE_SQLITE)),
        )


def _can_listen(settings: Settings) -> None:
    """Fail before anything starts where the server could not listen. A server that finds out later has taken the
    PBX over from the one that is running by then."""
    for network in settings.fastagi_allow:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as bad:
            fail(f"CTI_FASTAGI_ALLOW: {bad}", f"Correct it in {settings.file or ETC}.", status=2)
    for name, host, port in (
        ("HTTP", settings.http_host, settings.http_port),
        ("FASTAGI", settings.fastagi_host, settings.fastagi_port),
    ):
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, kind, protocol, _, address in places:
                with socket.socket(family, kind, protocol) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(address)
                    if port:
                        probe.listen(1)
        except OSError as cause:
            fail(f"cannot listen on {host}:{port}: {cause.strerror}", _remedy(name, port, cause))


def _remedy(name: str, port: int, cause: OSError) -> str:
    if cause.errno == errno.EADDRINUSE:
        return f"ss -ltnp 'sport = :{port}'   shows which program has it; end it, or set another CTI_{name}_PORT"
    if cause.errno == errno.EACCES:
        return f"Set CTI_{name}_PORT to a port over 1023."
    return f"Set CTI_{name}_HOST to an address of this machine."
