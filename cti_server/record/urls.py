"""The URL of the database: what is accepted, and how it is shown."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote

import sqlalchemy as sa

#: before the hosts, the hosts, database and query of a URL that names several, as libpq takes them
SEVERAL_HOSTS = re.compile(r"(postgres(?:ql)?(?:\+\w+)?://(?:[^/?]*@)?)([^@/?]*,[^@/?]*)([/?].*)?")


class BadUrl(ValueError):
    """The database URL names nothing that this server can use."""


def normalise_url(url: str) -> sa.URL:
    """The URL with the driver that this server uses. It accepts what other tools write: `postgres://…?sslmode=…`,
    several hosts of which one is the primary, `postgresql://a:5432,b:5432/cti`, and as host the folder of
    PostgreSQL's socket, `postgresql://%2Frun%2Fpostgresql/cti`. Without a host the driver finds the socket, and
    the user is whoever runs this program: `postgresql:///cti`.

    Raises BadUrl, also for an in-memory SQLite database, which two connections cannot share.
    """
    try:
        parsed = sa.make_url(_hosts_as_query(url))
    except (sa.exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise BadUrl(
            "CTI_DATABASE_URL is not a database URL; write sqlite:///file.db or postgresql://user@host/name"
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise BadUrl("CTI_DATABASE_URL names no file; write sqlite:///cti-server.db")
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            query = dict(parsed.query)
            if (mode := query.pop("sslmode", None)) is not None:
                query["ssl"] = mode
            if (folder := unquote(parsed.host or "")).startswith("/"):
                user, password, port, name = parsed.username, parsed.password, parsed.port, parsed.database
                query["host"] = folder if port is None else f"{folder}:{port}"
                return sa.URL.create("postgresql+asyncpg", user, password, database=name, query=query)
            return parsed.set(drivername="postgresql+asyncpg", query=query)
        case other:
            raise BadUrl(f"CTI_DATABASE_URL names {other}; this server keeps its record in SQLite or PostgreSQL")


def _hosts_as_query(url: str) -> str:
    """SQLAlchemy takes several hosts in the query only."""
    if (found := SEVERAL_HOSTS.fullmatch(url)) is None:
        return url
    before, hosts, after = found[1], found[2].split(","), found[3] or "/"
    named = (f"host={quote(host if ':' in host else f'{host}:5432', safe=':')}" for host in hosts)
    return f"{before}{after}{'&' if '?' in after else '?'}{'&'.join(named)}"


def shown(url: str) -> str:
    """The database as a person is told of it: the file, or the URL without its password."""
    try:
        parsed = normalise_url(url)
    except BadUrl:
        return "none that can be used"
    if (file := sqlite_file(parsed)) is not None:
        return str(file)
    query = {name: "***" if "pass" in name else value for name, value in parsed.query.items()}
    host = parsed.host
    if (
        host is not None and "@" in host
    ):  # of a password with an @ that is not written %40, the rest is taken for it
        host = f"***@{host.rpartition('@')[2]}"
    return parsed.set(drivername="postgresql", query=query, host=host).render_as_string(hide_password=True)


def sqlite_file(url: sa.URL) -> Path | None:
    """The file of an SQLite database; None for PostgreSQL."""
    return Path(url.database or "").absolute() if url.get_backend_name() == "sqlite" else None
