"""Commands from any process: checked and carried out by the one that is attached to the PBX.

These answer to the API as `live.agent_commands` and `control.control` do, which they are in front of.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, Protocol

from pydantic import TypeAdapter

from cti_server.attachment import Attachment
from cti_server.commands import Asking, CallCommand, CommandRefused, Ruling, Sitting
from cti_server.floor.agents import By
from cti_server.push.hub import Hub
from cti_server.record.center.agents import Agent

from .agent_commands import AgentCommands
from .floors import Floors
from .mailbox import Mailbox, NotAnswered

ASKING: Final = TypeAdapter(Asking)
COMMAND: Final = TypeAdapter(CallCommand)
SITTING: Final = TypeAdapter(Sitting)
BY: Final = TypeAdapter(By | None)
RULING: Final = TypeAdapter(Ruling)


class CommandsAnywhere:
    """What a person does beside call control; `api.ports.Commands`."""

    def __init__(self, mailbox: Mailbox, floors: Floors, hub: Hub, default_pbx: str) -> None:
        self._mailbox = mailbox
        self._floors = floors
        self._hub = hub
        self._default_pbx = default_pbx

    async def begin_shift(self, agent: Agent, phone: Sitting) -> str:
        body = {"agent": agent.id, "phone": SITTING.dump_python(phone, mode="json")}
        return await self._accepted(self._pbx(agent.pbx), "begin_shift", body)

    async def end_shift(self, agent: int) -> str:
        return await self._accepted(self._at_work(agent), "end_shift", {"agent": agent})

    async def set_state(self, agent: int, state: str, reason: str | None, by: By | None = None) -> str:
        body = {"agent": agent, "state": state, "reason": reason, "by": BY.dump_python(by, mode="json")}
        return await self._accepted(self._at_work(agent), "set_state", body)

    async def choose_customer(self, call: str, customer: int, agent: int) -> None:
        body = {"call": call, "customer": customer, "agent": agent}
        await self._of_call(call, "choose_customer", body)

    async def finish_wrap_up(self, call: str, agent: int, code: str | None = None) -> None:
        await self._of_call(call, "finish_wrap_up", {"call": call, "agent": agent, "code": code})

    async def note_code(self, call: str, agent: int, code: str | None) -> None:
        if self._floors.with_call(call) is not None:
            await self._of_call(call, "note_code", {"call": call, "agent": agent, "code": code})

    async def extend_wrap_up(self, call: str, agent: int) -> None:
        await self._of_call(call, "extend_wrap_up", {"call": call, "agent": agent})

    async def want_wrap_up(self, call: str, agent: int, wanted: bool) -> None:
        await self._of_call(call, "want_wrap_up", {"call": call, "agent": agent, "wanted": wanted})

    async def signed_out(self, agent: int) -> None:
        self._hub.sign_out(agent)  # other processes see that the sessions ended (`live/signed_out.py`)

    def _pbx(self, pbx: str | None) -> str:
        return pbx if pbx is not None and self._floors.of(pbx) is not None else self._default_pbx

    def _at_work(self, agent: int) -> str:
        return self._floors.pbx_at_work(agent) or self._default_pbx

    async def _of_call(self, call: str, kind: str, body: Mapping[str, Any]) -> None:
        pbx = call.partition(":")[0]
        if self._floors.of(pbx) is None:
            raise CommandRefused("call_over", "that call is over")
        try:
            await self._mailbox.ask(pbx, kind, body)
        except NotAnswered as cause:
            why = "the server that has the PBX did not answer; it may have been done, or not"
            raise CommandRefused("pbx_unreachable", why, "Look, and try again.") from cause

    async def _accepted(self, pbx: str, kind: str, body: Mapping[str, Any]) -> str:
        """The id of the request; it is given here, so that it is known whatever becomes of the owner."""
        request = uuid.uuid4().hex
        try:
            accepted: str = await self._mailbox.ask(pbx, kind, {**body, "request": request})
        except NotAnswered:
            return request  # claimed: the next owner tells what became of it
        return accepted


class ControlAnywhere:
    """Call control; `api.ports.CallControl`."""

    def __init__(self, mailbox: Mailbox, floors: Floors, default_pbx: str) -> None:
        self._mailbox = mailbox
        self._floors = floors
        self._default_pbx = default_pbx

    async def ask(self, asking: Asking, command: CallCommand, key: str | None = None) -> str:
        pbx = self._pbx_of(asking, command)
        request = uuid.uuid4().hex
        body = {
            "asking": ASKING.dump_python(asking, mode="json"),
            "command": COMMAND.dump_python(command, mode="json"),
            "key": key,
            "request": request,
        }
        try:
            accepted: str = await self._mailbox.ask(pbx, "control", body)
        except NotAnswered:
            return request
        return accepted

    async def decide(self, asking: Asking, number: str) -> Ruling:
        pbx = self._floors.pbx_at_work(asking.agent) or self._default_pbx
        body = {"asking": ASKING.dump_python(asking, mode="json"), "number": number}
        return RULING.validate_python(await self._mailbox.ask(pbx, "decide", body))

    async def handover(self, call: str, agent: int) -> Mapping[str, Any] | None:
        return await self._floors.handover(call, agent)

    def _pbx_of(self, asking: Asking, command: CallCommand) -> str:
        if command.call is None:
            return self._floors.pbx_at_work(asking.agent) or self._floors.pbx_of(asking.agent) or self._default_pbx
        pbx = command.call.partition(":")[0]
        if self._floors.of(pbx) is None:
            raise CommandRefused("call_over", "that call is over")
        return pbx


class ControlHere(Protocol):
    """Call control of the PBXs that this process has; `control.control.Control`."""

    async def ask(self, asking: Asking, command: CallCommand, key: str | None, request: str | None) -> str: ...
    async def decide(self, asking: Asking, number: str) -> Ruling: ...


def serve(mailbox: Mailbox, commands: AgentCommands, control: ControlHere) -> None:
    """Have the mailbox answer for the PBXs of this process."""

    async def begin_shift(at: Attachment, body: Mapping[str, Any]) -> str:
        phone = SITTING.validate_python(body["phone"])
        return await commands.begin_shift(at, body["agent"], phone, body["request"])

    async def end_shift(at: Attachment, body: Mapping[str, Any]) -> str:
        return await commands.end_shift(body["agent"], body["request"])

    async def set_state(at: Attachment, body: Mapping[str, Any]) -> str:
        by = BY.validate_python(body["by"])
        return await commands.set_state(body["agent"], body["state"], body["reason"], by, body["request"])

    async def choose_customer(at: Attachment, body: Mapping[str, Any]) -> None:
        await commands.choose_customer(body["call"], body["customer"], body["agent"])

    async def finish_wrap_up(at: Attachment, body: Mapping[str, Any]) -> None:
        await commands.finish_wrap_up(body["call"], body["agent"], body["code"])

    async def note_code(at: Attachment, body: Mapping[str, Any]) -> None:
        await commands.note_code(body["call"], body["agent"], body["code"])

    async def extend_wrap_up(at: Attachment, body: Mapping[str, Any]) -> None:
        await commands.extend_wrap_up(body["call"], body["agent"])

    async def want_wrap_up(at: Attachment, body: Mapping[str, Any]) -> None:
        await commands.want_wrap_up(body["call"], body["agent"], body["wanted"])

    async def ask(at: Attachment, body: Mapping[str, Any]) -> str:
        asking, command = ASKING.validate_python(body["asking"]), COMMAND.validate_python(body["command"])
        return await control.ask(asking, command, body["key"], body["request"])

    async def decide(at: Attachment, body: Mapping[str, Any]) -> Any:
        return asdict(await control.decide(ASKING.validate_python(body["asking"]), body["number"]))

    mailbox.handlers |= {
        "begin_shift": begin_shift,
        "end_shift": end_shift,
        "set_state": set_state,
        "choose_customer": choose_customer,
        "finish_wrap_up": finish_wrap_up,
        "note_code": note_code,
        "extend_wrap_up": extend_wrap_up,
        "want_wrap_up": want_wrap_up,
        "control": ask,
        "decide": decide,
    }
