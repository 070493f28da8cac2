"""The composition root: builds every part of the server, starts it and closes it again. Nothing is global.

database ─ lookup ─ hub ─┬─ attachment of each PBX (lease, link, pipeline)
                         ├─ FastAGI server (identify)
                         └─ API, websocket, desktop
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from .api.agent.help_requests import close_over
from .api.agent.me import Mes
from .api.agent.promises import raise_due
from .api.create import create_api
from .api.ports import Deps
from .api.sign_on import sign_on_of
from .api.websocket import add_websocket
from .asterisk.fastagi import FastAgiServer
from .attachment import Attachment
from .control.control import Control
from .desk import STREAM as DESK
from .desk import Desk
from .floor.replica import Replica
from .in_hand import InHand
from .ivr.identify import IdentifyDialogue
from .listener.connections import NotOfPeers, limited
from .listener.gate import Gate
from .listener.limits import Limits, connections_within, proxies_of, raise_descriptors
from .live import anywhere
from .live.agent_commands import AgentCommands
from .live.attached import Attached
from .live.audit_seals import AuditSeals
from .live.changes import Changes
from .live.delivery import Delivery
from .live.feed import Feed
from .live.floors import Floors
from .live.following import Following
from .live.mailbox import Mailbox
from .live.oversights import Oversights
from .live.presence import Presence
from .live.questions import Questions
from .live.record_news import RecordNews
from .live.signed_out import SignedOut
from .live.spreading import Spreading
from .live.upkeep import Upkeep
from .lookup.identify import Lookup
from .lookup.places import PrefixPlaces
from .metrics import LiveCollector
from .push.capsules import Capsules
from .push.cards import Cards
from .push.hub import Hub
from .push.stream import Stream
from .record import journal
from .record.center import phone_secrets, second_factors
from .record.database import Database
from .record.processes.notices import Notices, this_process
from .record.sealing import Sealer
from .settings import Settings

WATCH_EVERY_S = 5.0
RESTART_AFTER_S = 1.0
IDLE_TRANSACTION_S = 5.0  # PostgreSQL ends a transaction of ours that does nothing for so long
M_MMAP_THRESHOLD = -3  # malloc.h

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Running:
    """A running server: the ASGI application, and the parts that tests and the command line look at."""

    api: FastAPI
    attachments: Sequence[Attachment]
    hub: Hub
    database: Database
    fastagi: FastAgiServer
    collector: LiveCollector


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """Run everything but the HTTP listener. The database must have been migrated."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database_url, idle_s=IDLE_TRANSACTION_S))
        sealer = settings.sealer()
        await _seal(database, sealer)
        places = PrefixPlaces()
        oversights = Oversights(database)
        await oversights.look()
        lookup = Lookup(database, default_region=settings.default_region, places=places)
        hub = Hub()
        notices = Notices(database)
        following = Following(database, notices)
        presence = Presence(database, notices, this_process(), hub)
        hub.presence = presence.changed
        desk_stream = Stream(DESK, hub, database, announce=following.announce)
        attachments = [
            Attachment(
                pbx,
                database,
                lookup,
                _stream_of(pbx.name, hub, database, lookup, following),
                settings,
                presence.connected,
            )
            for pbx in settings.attached()
        ]
        presence.attachments = attachments
        streams = following.streams = [desk_stream, *(attachment.stream for attachment in attachments)]
        await following.look()
        for stream in streams:
            await stream.begin()
        floor = Floors(
            {r.pbx: r for stream in streams if (r := stream.replica) is not None},
            {a.pbx.name: a.stream.cards for a in attachments if a.stream.cards is not None},
            lambda: max(attachment.pipeline.lag_s for attachment in attachments),
            lambda: {**following.unattached, **_not_heard_yet(attachments)},
            {pbx.name for pbx in settings.attached() if pbx.notify is not None},
        )
        default_pbx = attachments[0].pbx.name
        mailbox = Mailbox(database, notices, attachments)
        deliver = Delivery(attachments, mailbox, lookup)
        desk = Desk(database, desk_stream.offer, _now)
        in_hand = InHand(database, desk, _now)
        own_commands = AgentCommands(Attached(attachments), in_hand, presence.connected, database)
        stack.push_async_callback(own_commands.close)
        control = Control(attachments, desk, database, settings.default_region, in_hand)
        anywhere.serve(mailbox, own_commands, control)
        commands = anywhere.CommandsAnywhere(mailbox, floor, hub, default_pbx)
        for attachment in attachments:
            attachment.taken = in_hand.tell_left
        collector = LiveCollector(attachments, hub, registry := CollectorRegistry())
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        encodings = {attachment.pbx.name: attachment.pbx.encodings for attachment in attachments}
        identify = await stack.enter_async_context(
            IdentifyDialogue(
                lookup,
                deliver,
                deadline_ms=settings.lookup_deadline_ms,
                default_pbx=default_pbx,
                observe=collector.looked_up,
                hear=Questions(attachments, settings.default_region, mailbox).hear,
            )
        )
        collector.refused = identify.refused
        deps = Deps(
            database=database,
            desk=desk,
            floor=floor,
            commands=commands,
            control=anywhere.ControlAnywhere(mailbox, floor, default_pbx),
            lookup=lookup,
            identify=identify.answer,
            now=_now,
            positions=lambda: hub.positions,
            registry=registry,
            default_pbx=default_pbx,
            encodings=encodings,
            identify_token=settings.identify_token.get_secret_value() if settings.identify_token else None,
            cookie_secure=settings.cookie_secure,
            origins=settings.http_origins,
            desktop=desktop_folder(),
            softphone_url=settings.softphone_url,
            softphone_ice=settings.softphone_ice,
            sealer=sealer,
            oversight=oversights.of,
            teams_changed=oversights.look,
            second_factor_roles=settings.second_factor_roles,
            sign_on=sign_on_of(settings),
            password_sign_in=settings.password_sign_in,
        )
        api = create_api(deps)
        registry.register(api.state.sign_ins.results)
        registry.register(control.fence)
        fastagi = await stack.enter_async_context(
            FastAgiServer(
                settings.fastagi_host,
                settings.fastagi_port,
                settings.fastagi_allow,
                {"identify": identify},
                encodings,
                settings.fastagi_token.get_secret_value() if settings.fastagi_token is not None else "",
            )
        )
        collector.fastagi = fastagi
        feed = Feed(
            streams,
            hub,
            database,
            Mes(deps),
            oversights.of,
            lambda: asyncio.gather(*(attachment.known() for attachment in attachments)),
        )
        add_websocket(api, hub, feed)
        changes = Changes(database, desk, hub, commands, floor)
        duties = [_start(duty, database) for duty in _duties(attachments, desk, floor)]
        duties += [_start((f"stream {stream.name}", stream.run), database) for stream in streams]
        news = RecordNews(database.trouble, hub, lambda: [a.stream.name for a in attachments if not a.owner])
        duties.append(_start(("record news", news.run), database))
        duties.append(_start(("notices", notices.run), database))
        duties.append(_start(("following", following.run), database))
        duties.append(_start(("mailbox", mailbox.run), database))
        duties.append(_start(("presence", presence.run), database))
        spreading = Spreading(database, attachments, lambda: notices.alone)
        duties.append(_start(("spreading", spreading.run), database))
        duties.append(_start(("changes", changes.run), database))
        duties.append(_start(("signed out", SignedOut(database, hub, deps.known_holders).run), database))
        duties.append(_start(("oversights", oversights.run), database))
        duties.append(_start(("audit seals", AuditSeals(database, deps.sealer).run), database))
        registry.register(upkeep := Upkeep(database, settings.kept()))
        duties.append(_start(("upkeep", upkeep.run), database))
        stack.push_async_callback(_stop, [*duties, asyncio.create_task(_warm(places), name="places")])
        # Closed first, while everything else still runs: agents whose commands are under way get their result.
        stack.push_async_callback(control.close)
        yield Running(api, attachments, hub, database, fastagi, collector)


async def serve(settings: Settings, ready: Callable[[Running], None] = lambda server: None) -> None:
    """Run the server until a signal ends it. `ready` is called once it listens."""
    _give_memory_back()
    gate = _gate(settings, raise_descriptors())
    connection, websocket = limited(gate)
    logging.getLogger("uvicorn.error").addFilter(NotOfPeers())
    async with running(settings) as server:
        server.collector.gate = gate
        config = uvicorn.Config(
            server.api,
            host=settings.http_host,
            port=settings.http_port,
            lifespan="off",
            log_config=None,
            http=connection,
            ws=websocket,
            ws_max_size=16 * 1024,
            ws_per_message_deflate=False,  # frames are small: deflate costs 300 kB a desktop and saves nothing
            # Longer than proxies keep a connection open: a POST sent while we close it would be lost.
            timeout_keep_alive=settings.http_idle_s,
            # Anybody can send X-Forwarded-For, and the limit on sign-ins counts by address.
            proxy_headers=bool(settings.http_proxies),
            forwarded_allow_ips=list(settings.http_proxies),
            timeout_graceful_shutdown=3,
            server_header=False,
        )
        listener = uvicorn.Server(config)
        _settle()
        telling = asyncio.create_task(_tell_when_listening(listener, lambda: ready(server)), name="ready")
        watching = asyncio.create_task(gate.run(), name="http limits")
        try:
            with _closes_in_order():
                await listener.serve()
        finally:
            telling.cancel()
            watching.cancel()
    if not listener.started:
        raise SystemExit(f"cannot listen on {settings.http_host}:{settings.http_port}; set CTI_HTTP_PORT")


def _gate(settings: Settings, descriptors: int) -> Gate:
    """The gate of the HTTP listener. It leaves the last descriptors to FastAGI, the PBX and the database."""
    connections = connections_within(descriptors, settings.http_connections)
    if connections < settings.http_connections:
        log.warning(
            "http.fewer_connections",
            may_have=connections,
            wanted=settings.http_connections,
            open_files=descriptors,
            remedy="LimitNOFILE=65536 in the unit (docs/cti-server.service), or a smaller CTI_HTTP_CONNECTIONS",
        )
    limits = Limits(
        connections=connections,
        per_address=settings.http_per_address,
        headers_s=settings.http_headers_s,
        body_s=settings.http_body_s,
        stalled_s=settings.http_stalled_s,
        proxies=proxies_of(settings.http_proxies),
    )
    return Gate(limits, asyncio.get_running_loop().time)


@contextlib.contextmanager
def _closes_in_order() -> Iterator[None]:
    """Let SIGTERM end the listener, and nothing else: uvicorn raises it once more at the end, which would kill
    the process before what is in the inboxes is written and the queues of the PBX are given back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _give_memory_back() -> None:
    """Make glibc return freed blocks of a megabyte and more to the system.

    By itself glibc raises that threshold to the largest block ever freed, up to 32 MiB. Checking a password takes
    19 MiB, which each thread that had checked one then kept: 50 MB after a shift had signed in.
    """
    with contextlib.suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 20)


def _settle() -> None:
    """Exempt the objects made at start-up from garbage collection, because they stay for good.

    A full collection through them stopped the server, and every card on its way, for 160 ms.
    """
    gc.collect()
    gc.freeze()


async def _tell_when_listening(listener: uvicorn.Server, ready: Callable[[], None]) -> None:
    while not listener.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    ready()


def desktop_folder() -> Path | None:
    """The built desktop's folder: in the wheel, or agents_ui/dist of a checkout. None when it is not built."""
    here = Path(__file__).resolve().parent
    return next(
        (f for f in (here / "desktop", here.parent / "agents_ui" / "dist") if (f / "index.html").exists()), None
    )


async def _seal(database: Database, sealer: Sealer) -> None:
    """Seal the passwords of phones that are in clear, and what an older key has sealed; say what stays as it is.

    It keeps no server from starting: calls do not need these passwords.
    """
    try:
        done = await phone_secrets.seal_all(database, sealer)
        async with database.begin() as conn:
            factors = await second_factors.seal_anew(conn, sealer)
    except Exception as cause:
        if not database.trouble.note(cause):
            log.exception("phones.not_sealed")
        return
    if done.sealed or done.resealed:
        log.info("phones.sealed", from_clear=len(done.sealed), from_older_keys=len(done.resealed))
    if factors:
        log.info("second_factors.sealed", from_older_keys=factors)
    if done.traces is not None:
        log.warning("phones.traces", cause=done.traces, remedy="Change these passwords at the PBX, then here.")
    if done.clear:
        remedy = (
            "Set CTI_SECRET_KEY to what  cti-server key  prints, keep a copy of it, and start the server again."
        )
        log.warning("phones.in_clear", phones=len(done.clear), remedy=remedy)
    for seat, why in done.left.items():
        log.error("phones.password_lost", phone=seat, cause=str(why), remedy=why.remedy)


def _now() -> datetime:
    return datetime.now(UTC)


def _not_heard_yet(attachments: Sequence[Attachment]) -> dict[str, datetime]:
    """The PBXs that this process has taken, and knows only what the one before it told of them."""
    return {a.pbx.name: _now() for a in attachments if a.owner and not a.pipeline.told_whole}


def _stream_of(pbx: str, hub: Hub, database: Database, lookup: Lookup, following: Following) -> Stream:
    replica = Replica(pbx)
    cards = Cards(replica, lookup, Capsules(replica, database))
    return Stream(journal.stream_of(pbx), hub, database, replica, cards, following.announce)


# --- duties: tasks that run as long as the server does ----------------------------------------------------


Duty = tuple[str, Callable[[], Awaitable[None]]]


def _duties(attachments: Sequence[Attachment], desk: Desk, floor: Floors) -> list[Duty]:
    watch: Duty = ("desk", lambda: _watch_desk(desk, floor, attachments))
    return [(f"pbx {attachment.pbx.name}", attachment.run) for attachment in attachments] + [watch]


def _start(duty: Duty, database: Database) -> asyncio.Task[None]:
    name, work = duty
    return asyncio.create_task(_run_for_good(name, work, database), name=name)


async def _run_for_good(name: str, work: Callable[[], Awaitable[None]], database: Database) -> None:
    """Run a duty, and again whenever it fails: a failure at one PBX must not stop the others."""
    while True:
        try:
            await work()
        except Exception as cause:
            if not database.trouble.note(cause):
                log.exception("duty.failed", duty=name, again_in_s=RESTART_AFTER_S)
        await asyncio.sleep(RESTART_AFTER_S)


async def _warm(places: PrefixPlaces) -> None:
    """Load the places that number prefixes belong to, beside the start; cards name no place until then."""
    try:
        await asyncio.to_thread(places.warm)
        gc.freeze()  # without collecting first, which would hold up calls that have come in already
    except Exception:
        log.exception("places.unavailable")


async def _watch_desk(desk: Desk, floor: Floors, attachments: Sequence[Attachment]) -> None:
    """Raise due promises, also those of the time when no server ran; end requests for help whose call is over."""
    while True:
        if raised := await raise_due(desk):
            log.info("promises.raised", promises=raised)
        await close_over(desk, floor, [attachment.pbx.name for attachment in attachments if attachment.owner])
        await asyncio.sleep(WATCH_EVERY_S)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
