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
