"""Runs one command: sends the actions of each step, waits until the floor shows their effect, says what failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from cti_server.asterisk.commands import NoAccount
from cti_server.asterisk.moves import NotSafe
from cti_server.asterisk.places import lacking
from cti_server.asterisk.session import ActionFailed
from cti_server.attachment import Attachment
from cti_server.commands import CommandRefused
from cti_server.floor.books import Books
from cti_server.floor.calls import Call
from cti_server.floor.signals import LegHangupAsked, LegHeldAtDesk, LegMuted, LinkState
from cti_server.floor.standing import Scene, now, scene_of
from cti_server.pipeline import PipelineClosed
from cti_server.record.leases import NotAssured
from cti_server.rules.facts import Reason

from .reaching import Unfenced, numbers
from .steps import CONFIRM_S, Step, Steps

OVER_S = 1.0  # after a refusal: how long the event that the call has ended may still take


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a command failed: the `problem` of `command.done`."""

    code: str
    detail: str
    remedy: str | None = None
    reason: Reason | None = None

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = {"code": self.code, "detail": self.detail, "remedy": self.remedy}
        if self.reason is not None:
            view["reason"] = {"code": self.reason.code, "params": dict(self.reason.params)}
        return view


CALL_OVER = Failed("call_over", "the call ended meanwhile")


@dataclass(frozen=True, slots=True)
class Work:
    """One command that runs. `ring` tells the agent's desktops to answer: {"call", "leg"}. `judged` are the
    numbers that the dial policy has allowed: its steps dial no other, whatever the scene has become."""

    attachment: Attachment
    call: Call
    agent: int
    ring: Callable[[dict[str, Any]], Awaitable[None]]
    judged: frozenset[str]

    async def through(self, steps: Steps, scene: Scene) -> Failed | None:
        """Run the steps in order. Returns why one failed; None when all took effect."""
        for step in steps:
            try:
                problem = await self._step(step, scene)
            except (CommandRefused, NotSafe) as refused:
                return refusal(refused)
            if problem is not None:
                return problem
            scene = self._scene()
        return None

    async def _step(self, step: Step, before: Scene) -> Failed | None:
        if step.hangs_up is not None:
            # Asterisk does not say who asked when a program hangs a channel up.
            self.attachment.pipeline.put(
                LegHangupAsked(time.time(), step.hangs_up, before.call.linkedid, at_desk=True)
            )
        try:
            actions = step.moves(before)
            if not self.judged.issuperset(numbers(actions)):
                return Failed("dial_refused", "the number is not the one that was allowed; nothing was done")
            if (lacks := await lacking(self.attachment.commands, actions)) is not None:
                return Failed("not_at_pbx", f"{lacks.what}; nothing was done", lacks.remedy)
            for action in actions:
                await self.attachment.commands.run(action)
                if action is not actions[-1]:
                    await asyncio.sleep(step.gap_s)
        except Unfenced as cause:
            return Failed("dial_refused", f"the server does not know what {cause} dials, so it dials nothing")
        except NoAccount as cause:
            return Failed("no_account", str(cause))
        except NotAssured as cause:
            return Failed("record_away", f"{cause}; nothing was done", "Use the keys of your phone.")
        except ActionFailed as cause:
            return await self._why_refused(before, str(cause))
        except (OSError, TimeoutError) as cause:
            return Failed("pbx_unreachable", f"{cause}; whether it was done is not known")
        if step.holds and before.mine is not None:
            # Our dialplan says so too; one that was copied from an older version does not.
            linkedid = before.call.linkedid
            self.attachment.pipeline.put(LegHeldAtDesk(time.time(), before.mine.id, linkedid, True))
        if step.muted is not None and before.mine is not None:
            linkedid = before.call.linkedid
            self.attachment.pipeline.put(LegMuted(time.time(), before.mine.id, linkedid, step.muted))
        if step.rings is not None and (leg := step.rings(before)) is not None:
            await self.ring({"call": before.call.id, "leg": leg})
        return await self._shown(step, before)

    async def _shown(self, step: Step, before: Scene) -> Failed | None:
        """Wait until the floor shows the step's effect, or that it cannot come. Returns why it did not come."""
        if step.awaited is None:
            return None
        effect = step.awaited

        def outcome(books: Books) -> Failed | bool | None:
            if books.link is not LinkState.LIVE:
                return Failed("pbx_unreachable", "the PBX was lost; whether it was done is not known")
            scene = scene_of(now(books, self.call), self.agent)
            effect_shown = effect(before, scene, books)
            if isinstance(effect_shown, str):
                return Failed("not_confirmed", effect_shown)
            return True if effect_shown else CALL_OVER if scene.call.ended else None

        try:
            found = await self.attachment.pipeline.when(outcome, CONFIRM_S)
        except TimeoutError:
            return Failed("not_confirmed", f"{CONFIRM_S:g} s after the PBX took it, {step.what}")
        except PipelineClosed as cause:
            return Failed("pbx_unreachable", f"{cause}; whether it was done is not known")
        return found if isinstance(found, Failed) else None

    async def _why_refused(self, before: Scene, said: str) -> Failed:
        """Tell a refusal from a call that has ended: Asterisk refuses actions before it sends the hangup event."""

        def gone(books: Books) -> bool | None:
            call = now(books, self.call)
            left = before.mine is not None and before.mine.id not in call.legs
            return True if call.ended or left else None

        try:
            await self.attachment.pipeline.when(gone, OVER_S)
        except (TimeoutError, PipelineClosed):
            return Failed("refused_by_pbx", said)
        return CALL_OVER

    def _scene(self) -> Scene:
        return scene_of(now(self.attachment.pipeline.books, self.call), self.agent)


def refusal(cause: CommandRefused | NotSafe) -> Failed:
    if isinstance(cause, CommandRefused):
        return Failed(cause.code, cause.detail, cause.remedy, cause.reason)
    return Failed("not_possible", str(cause))
