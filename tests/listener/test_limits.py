"""Each limit of the HTTP listener, at a small size: who is ended, what they are told, who is served meanwhile."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys

import pytest
import websockets

from cti_server.listener import connections
from cti_server.listener import gate as gates
from cti_server.listener.limits import (
    FEWEST,
    MOST_ENDING,
    RESERVE,
    Limits,
    connections_within,
    proxies_of,
)
from cti_server.settings import Settings
from tests.documents import DOCS

from .conftest import GET, Listen, until_closed

QUICK = Limits(headers_s=0.4, body_s=0.4, stalled_s=0.4)
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "cause"),
    [
        (b"", b"", "headers_too_slow"),  # a browser that connects ahead is told nothing
        (b"G", b"HTTP/1.1 408 ", "headers_too_slow"),
        (GET[:-2], b"HTTP/1.1 408 ", "headers_too_slow"),
        (POST, b"HTTP/1.1 408 ", "body_too_slow"),
        (POST + b"half", b"HTTP/1.1 408 ", "body_too_slow"),
        (
            POST.replace(b"Content-Length: 10", b"Transfer-Encoding: chunked") + b"4\r\nha",
            b"HTTP/1.1 408 ",
            "body_too_slow",
        ),
        (GET + GET[:-4], b"HTTP/1.1 200 ", "headers_too_slow"),  # the second request of a connection
        (GET + POST, b"HTTP/1.1 200 ", "body_too_slow"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"HTTP/1.1 400 ", "not_http"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10000, b"HTTP/1.1 400 ", "not_http"),
        (b"GET /" + b"x" * 70000, b"HTTP/1.1 400 ", "not_http"),
    ],
)
async def test_whoever_takes_too_long_is_told_and_closed(
    listen: Listen, sent: bytes, status: bytes, cause: str
) -> None:
    async with listen(QUICK) as server:
        reader, writer = await server.connect()
        writer.write(sent)
        answer = await until_closed(reader)
        writer.close()
        assert answer.startswith(status)
        assert (b"408" in answer or b"400" in answer) is (status != b"")
        assert b"onnection: close" in answer or not answer
        assert server.gate.closed == {cause: 1}
        assert (await server.get()).startswith(b"HTTP/1.1 200")


async def test_a_byte_now_and_then_buys_no_time(listen: Listen) -> None:
    async with listen(QUICK) as server:
        reader, writer = await server.connect()

        async def dribble() -> None:
            for byte in POST + b"0123456789":
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)

        dribbling = asyncio.create_task(dribble())
        assert (await until_closed(reader)).startswith(b"HTTP/1.1 408")
        dribbling.cancel()
        await asyncio.gather(dribbling, return_exceptions=True)
        writer.close()
        assert server.gate.closed == {"headers_too_slow": 1}


async def test_a_connection_that_is_used_lives_longer_than_any_limit(listen: Listen) -> None:
    async with listen(Limits(headers_s=1.0, body_s=1.0, stalled_s=1.0)) as server:
        reader, writer = await server.connect()
        for _ in range(12):
            writer.write(POST[:-30])
            await asyncio.sleep(0.05)
            writer.write(POST[-30:] + b"01234")
            await asyncio.sleep(0.05)
            writer.write(b"56789")
            assert (await reader.readuntil(b"\r\n\r\n10"))[:12] == b"HTTP/1.1 200"
        writer.close()
        assert not server.gate.closed


async def test_whoever_reads_nothing_is_cut(listen: Listen) -> None:
    async with listen(QUICK) as server:
        reader, writer = await server.connect()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET.replace(b"/ ", b"/large "))
        async with asyncio.timeout(20):
            while server.gate.closed["not_reading"] == 0:
                await asyncio.sleep(0.05)
            while len(server.gate):
                await asyncio.sleep(0.05)
        writer.close()
        assert reader.at_eof() is False
        assert (await server.get()).startswith(b"HTTP/1.1 200")


async def test_whoever_reads_slowly_gets_all_of_it(listen: Listen) -> None:
    async with listen(Limits(stalled_s=1.0)) as server:
        reader, writer = await server.connect()
        writer.write(GET.replace(b"/ ", b"/large "))
        got = 0
        while got < 8 << 20:
            got += len(await reader.read(1 << 18))
            await asyncio.sleep(0.06)
        writer.close()
        assert not server.gate.closed


# --- how many --------------------------------------------------------------------------------------------


async def test_one_that_waits_gives_way_and_one_that_works_does_not(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "GIVES_WAY_S", 0.0)
    async with listen(Limits(connections=2)) as server:
        worker, working = await server.connect()
        working.write(POST)  # its body is awaited: it has asked
        idler, idling = await server.connect()
        idling.write(GET)
        await idler.readuntil(b"\r\n\r\n")
        for _ in range(3):
            assert (await server.get()).startswith(b"HTTP/1.1 200")
        assert server.gate.closed == {"gave_way": 1}
        assert await until_closed(idler) == b"0"  # the rest of its answer, and the end
        working.write(b"0123456789")
        assert (await worker.readuntil(b"10"))[:12] == b"HTTP/1.1 200"
        idling.close()
        working.close()


async def test_where_nobody_can_give_way_the_next_one_is_told_so(listen: Listen) -> None:
    async with listen(Limits(connections=2)) as server:
        held = [await server.connect() for _ in range(2)]
        for _, writer in held:
            writer.write(POST)
        async with asyncio.timeout(5):
            while len(server.gate) < 2:
                await asyncio.sleep(0.01)
        answer = await server.get()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Connection: close" in answer
        assert server.gate.closed == {"too_many": 1}
        for reader, writer in held:
            writer.write(b"0123456789")
            await reader.readuntil(b"10")
            writer.close()
        async with asyncio.timeout(5):
            while len(server.gate):
                await asyncio.sleep(0.01)
        assert (await server.get()).startswith(b"HTTP/1.1 200")


async def test_one_address_has_its_own_limit_and_a_proxy_none(listen: Listen) -> None:
    for proxies, allowed in [((), 2), (("127.0.0.1",), 5)]:
        limits = Limits(per_address=2, connections=5, proxies=proxies_of(proxies))
        async with listen(limits) as server:
            held = [await server.connect() for _ in range(allowed)]
            for _, writer in held:
                writer.write(POST)
            async with asyncio.timeout(5):
                while len(server.gate) < allowed:
                    await asyncio.sleep(0.01)
            assert (await server.get()).startswith(b"HTTP/1.1 503 ")
            assert list(server.gate.closed) == ["too_many" if proxies else "too_many_of_address"]
            for _, writer in held:
                writer.close()


async def test_all_unfinished_bodies_together_are_bounded(listen: Listen) -> None:
    async with listen(Limits(held=3000)) as server:
        large = POST.replace(b"10", b"5000") + b"x" * 1000
        peers = []
        for _ in range(3):
            reader, writer = await server.connect()
            writer.write(large)
            peers.append((reader, writer))
            async with asyncio.timeout(5):
                while len(server.gate._held) + server.gate.closed["bodies_too_large"] < len(peers):
                    await asyncio.sleep(0.01)
        assert (await until_closed(peers[0][0])).startswith(b"HTTP/1.1 503 ")
        for reader, writer in peers[1:]:
            writer.write(b"x" * 4000)
            assert (await reader.readuntil(b"5000"))[:12] == b"HTTP/1.1 200"
        for _, writer in peers:
            writer.close()
        assert server.gate.closed == {"bodies_too_large": 1}
        assert server.gate._all_held == 0


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("10.1.2.3", None),
        (None, None),
        ("", None),
    ],
)
def test_what_counts_as_one_address(address: str | None, site: str | None) -> None:
    assert Limits(proxies=proxies_of(["10.0.0.0/8", "/run/proxy.sock"])).site_of(address) == site
    assert Limits(proxies=proxies_of(["*"])).site_of(address) is None


@pytest.mark.parametrize(
    ("descriptors", "wanted", "may"),
    [(65536, 8192, 8192), (1024, 8192, 1024 - RESERVE - MOST_ENDING), (64, 8192, FEWEST), (1 << 30, 9000, 9000)],
)
def test_the_last_descriptors_are_for_others(descriptors: int, wanted: int, may: int) -> None:
    assert connections_within(descriptors, wanted) == may


def test_the_soft_limit_becomes_the_hard_one() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 700));"
        "from cti_server.listener.limits import raise_descriptors;"
        "print(raise_descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["700", "700"]


# --- websockets ------------------------------------------------------------------------------------------


async def test_a_websocket_keeps_its_place_until_it_ends(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "GIVES_WAY_S", 0.0)
    async with listen(Limits(connections=2)) as server:
        async with (
            websockets.connect(f"ws://127.0.0.1:{server.port}/ws") as said,
            websockets.connect(f"ws://127.0.0.1:{server.port}/ws") as silent,
        ):
            await said.send("hello")
            assert await said.recv() == "hello"
            assert (await server.get()).startswith(b"HTTP/1.1 200")
            with pytest.raises(websockets.ConnectionClosed) as gone:
                await silent.recv()
            assert gone.value.rcvd is not None
            assert gone.value.rcvd.code == 1013
            await said.send("again")
            assert await said.recv() == "again"
        async with asyncio.timeout(5):
            while len(server.gate):
                await asyncio.sleep(0.01)


async def test_a_websocket_that_reads_nothing_is_cut_and_not_read_from(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_FRAMES", 1 << 30)
    async with listen(QUICK) as server:
        async with websockets.connect(
            f"ws://127.0.0.1:{server.port}/ws", max_queue=1, ping_interval=None
        ) as socket_:
            transport = socket_.transport
            transport.pause_reading()
            ping = b"\x89\xfd\0\0\0\0" + b"p" * 125
            block = b"\x81\x85\0\0\0\0hello" + ping * 1000  # each asks for an answer as long as itself
            async with asyncio.timeout(20):
                while not server.gate.closed["not_reading"]:
                    if transport.get_write_buffer_size() < 1 << 20:
                        transport.write(block)
                    for peer in server.gate._open:
                        assert peer.transport.get_write_buffer_size() < 4 << 20  # type: ignore[attr-defined]
                    await asyncio.sleep(0)
            transport.abort()
        assert (await server.get()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("frame", [b"\x8a\x80\0\0\0\0", b"\x89\x80\0\0\0\0", b"\x81\x80\0\0\0\0"])
async def test_a_websocket_that_sends_frames_without_end_is_ended(listen: Listen, frame: bytes) -> None:
    async with listen(Limits()) as server, websockets.connect(f"ws://127.0.0.1:{server.port}/ws") as peer:
        peer.transport.write(frame * 40_000)
        async with asyncio.timeout(20):
            await peer.wait_closed()
        assert server.gate.closed == {"too_many_frames": 1}


async def test_a_message_in_endless_empty_fragments_is_ended(listen: Listen) -> None:
    async with listen(Limits()) as server, websockets.connect(f"ws://127.0.0.1:{server.port}/ws") as peer:
        peer.transport.write(b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 1000)
        with pytest.raises(websockets.ConnectionClosed) as gone:
            await peer.recv()
        assert gone.value.rcvd is not None
        assert gone.value.rcvd.code == 1009


def test_one_line_a_minute_of_each_cause(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    gate = gates.Gate(Limits(), lambda: now)
    for second in range(130):
        now = float(second)
        gate.note("too_many", "192.0.2.7")
    assert capsys.readouterr().out.count("http.closed") == 3
    assert gate.closed == {"too_many": 130}


def test_the_unit_allows_the_descriptors_that_the_settings_ask_for() -> None:
    allowed = re.search(r"^LimitNOFILE=(\d+)$", (DOCS / "cti-server.service").read_text("utf-8"), re.MULTILINE)
    assert allowed is not None
    wanted = Settings.model_fields["http_connections"].default
    assert connections_within(int(allowed[1]), wanted) == wanted


def test_500_desktops_work_behind_one_address() -> None:
    of_a_browser = 6 + 1  # connections to one host, and the websocket
    assert Settings.model_fields["http_per_address"].default >= 500 * of_a_browser


async def test_a_connection_that_cannot_be_ended_leaves_the_others_their_limits() -> None:
    class Peer:
        address = "192.0.2.7"

        def __init__(self, fails: bool) -> None:
            self.fails = fails
            self.looked = asyncio.Event()

        def look(self, now: float) -> None:
            self.looked.set()
            if self.fails:
                raise RuntimeError("a defect")

        def give_way(self) -> None: ...

        def drop_body(self) -> None: ...

    gate = gates.Gate(Limits(headers_s=0.02), asyncio.get_running_loop().time)
    wrong, right = Peer(fails=True), Peer(fails=False)
    assert gate.admit(wrong) is gate.admit(right) is None
    running = asyncio.create_task(gate.run(), name="gate")
    async with asyncio.timeout(5):
        await right.looked.wait()
        right.looked.clear()
        await right.looked.wait()
    assert len(gate) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_frame_is_written_at_once_as_long_as_the_desktop_takes_it(listen: Listen) -> None:
    async with listen(Limits()) as server, websockets.connect(f"ws://127.0.0.1:{server.port}/ws") as desktop:
        await desktop.send("flood")
        said = [await desktop.recv()]
        while said[-1] == "x" * 1000:
            said.append(await desktop.recv())
        assert said[-1] == f"{len(said) - 1} were taken"
        assert len(said) > 60  # 64 kB are taken in any case
        await desktop.send("afterwards")
        assert await desktop.recv() == "afterwards"
