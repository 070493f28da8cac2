"""Command connections: each role has its own, and none waits for another."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from cti_server.asterisk.actions import Action, Ping, Role
from cti_server.asterisk.commands import Commands, NoAccount
from cti_server.asterisk.session import LinkLost
from cti_server.settings import PbxSettings
from tests.asterisk.test_session import ACCOUNT, lines, logged_in, pbx


class AsAgent(Ping):
    role = Role.AGENT


class AsCall(Ping):
    role = Role.CALL


class AsNotify(Ping):
    role = Role.NOTIFY


def nothing_else(name: str, action_id: bytes) -> bytes:
    return lines(b"Response: Error", b"ActionID: " + action_id, b"Message: " + name.encode())


class Manager:
    """A manager port whose first logins never get an answer."""

    def __init__(self, hanging: int = 0) -> None:
        self.hanging = hanging
        self.logins = 0
        self.hung = asyncio.Event()

    def __call__(self, name: str, action_id: bytes) -> bytes:
        if name == "Login":
            self.logins += 1
            if self.logins <= self.hanging:
                self.hung.set()
                return b""
        return logged_in(nothing_else)(name, action_id)


class DeafOnce(Manager):
    """A manager that does not hear the second Ping."""

    asked = 0

    def __call__(self, name: str, action_id: bytes) -> bytes:
        self.asked += name == "Ping"
        return b"" if name == "Ping" and self.asked == 2 else super().__call__(name, action_id)


def settings(port: int) -> PbxSettings:
    return PbxSettings(port=port, agent=ACCOUNT, call=ACCOUNT)


async def ping(commands: Commands, action: Action) -> str:
    return (await commands.run(action)).response["Ping"]


async def test_a_login_that_hangs_delays_no_other_role() -> None:
    manager = Manager(hanging=1)
    async with pbx(manager) as port:
        commands = Commands(settings(port))
        stuck = asyncio.create_task(commands.run(AsAgent()))
        async with asyncio.timeout(3):  # the stuck login is given up after five seconds
            await manager.hung.wait()
            assert await ping(commands, AsCall()) == "Pong"
        assert not stuck.done()
        stuck.cancel()
        await asyncio.gather(stuck, return_exceptions=True)
        commands.close()


async def test_a_role_logs_in_once_for_commands_at_the_same_time_and_after() -> None:
    manager = Manager()
    async with pbx(manager) as port:
        commands = Commands(settings(port))
        assert await asyncio.gather(*(ping(commands, AsCall()) for _ in range(5))) == ["Pong"] * 5
        assert await ping(commands, AsCall()) == "Pong"
        assert manager.logins == 1
        assert await ping(commands, AsAgent()) == "Pong"
        assert manager.logins == 2
        commands.close()


async def test_a_role_without_an_account_says_which_settings_are_missing() -> None:
    with pytest.raises(NoAccount, match="CTI_AMI_NOTIFY_USER and _SECRET for main"):
        await Commands(PbxSettings()).run(AsNotify())


async def test_a_refused_role_is_not_tried_at_each_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try is a line in Asterisk's security log, and fail2ban counts them."""

    class Refusing(Manager):
        def __call__(self, name: str, action_id: bytes) -> bytes:
            if name != "Login" or self.logins >= 2:
                return super().__call__(name, action_id)
            self.logins += 1
            return lines(b"Response: Error", b"ActionID: " + action_id, b"Message: Authentication failed")

    manager = Refusing()
    async with pbx(manager) as port:
        commands = Commands(settings(port))
        with capture_logs() as said:
            for _ in range(5):
                with pytest.raises(LinkLost, match="Asterisk refused AMI user"):
                    await commands.run(AsAgent())
        assert manager.logins == 1
        assert [line["event"] for line in said] == ["command.refused"]
        assert "permit = 127.0.0.1/255.255.255.255" in said[0]["remedy"]
        assert "CTI_AMI_AGENT_SECRET" in said[0]["remedy"]
        monkeypatch.setattr("cti_server.asterisk.commands.REFUSED_AGAIN_S", 0.0)
        with pytest.raises(LinkLost):
            await commands.run(AsAgent())
        assert await ping(commands, AsAgent()) == "Pong"
        commands.close()


async def test_a_connection_that_says_nothing_any_more_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A firewall has forgotten it: it stays open, and what is sent comes to nothing."""
    monkeypatch.setattr("cti_server.asterisk.commands.COMMAND_S", 0.2)
    manager = DeafOnce()
    async with pbx(manager) as port:
        commands = Commands(settings(port))
        assert await ping(commands, AsCall()) == "Pong"
        assert await ping(commands, AsCall()) == "Pong", "a Ping may be sent twice"
        assert manager.logins == 2
        commands.close()


async def test_what_is_sent_once_is_not_sent_again_and_the_next_has_a_new_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Once(AsCall):
        idempotent = False

    monkeypatch.setattr("cti_server.asterisk.commands.COMMAND_S", 0.2)
    manager = DeafOnce()
    async with pbx(manager) as port:
        commands = Commands(settings(port))
        assert await ping(commands, Once()) == "Pong"
        with pytest.raises(TimeoutError):
            await ping(commands, Once())
        assert await ping(commands, Once()) == "Pong"
        assert (manager.asked, manager.logins) == (3, 2)
        commands.close()


async def test_an_action_that_takes_long_ends_no_connection_on_which_others_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cti_server.asterisk.commands.COMMAND_S", 0.3)
    manager = DeafOnce()
    async with pbx(manager) as port:
        commands = Commands(settings(port))
        assert await ping(commands, AsCall()) == "Pong"
        slow = asyncio.create_task(ping(commands, AsCall()))
        await asyncio.sleep(0.1)
        assert await ping(commands, AsCall()) == "Pong"
        with pytest.raises(TimeoutError):
            await slow
        assert manager.logins == 1
        commands.close()


async def test_connections_that_are_dropped_are_reset() -> None:
    """What is on its way yet must not arrive once another process has the PBX."""
    ended: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while action := await reader.readuntil(b"\r\n\r\n"):
                name = action.split(b"\r\n")[0].removeprefix(b"Action: ").decode()
                writer.write(Manager()(name, action.split(b"ActionID: ")[1].split(b"\r\n")[0]))
        except (ConnectionError, asyncio.IncompleteReadError) as cause:
            ended.set_result(cause)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        commands = Commands(settings(server.sockets[0].getsockname()[1]))
        assert await ping(commands, AsCall()) == "Pong"
        commands.drop()
        async with asyncio.timeout(3):
            assert isinstance(await ended, ConnectionResetError)
