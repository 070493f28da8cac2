"""Call control: checks a command at once, runs it in a task of its own, and ends it with one `command.done`.

    ask ─ a repeat? ─ whose call? ─ PBX connected? ─ possible now? ─ may dial? ─ accounts? ─▶ 202 and a request id
                                                                        │
    task: wait in line ─ check again ─ for each step: actions ─▶ the floor shows the effect ─▶ command.done

Everything that can be refused is refused before the PBX is asked for anything. An accepted command runs once:
an action that is not idempotent is never sent again, and `command.done` reports what the floor shows, not what was
asked for.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import structlog

from cti_server.asterisk.actions import Role
from cti_server.asterisk.moves import NotSafe
from cti_server.attachment import Attachment
from cti_server.commands import AgentTarget, Asking, CallCommand, CommandRefused, Ruling
from cti_server.desk import Desk, only
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Leg
from cti_server.floor.possible import refusal_of
from cti_server.floor.signals import LinkState
from cti_server.floor.standing import Scene, Standing, followed, now, scene_of
from cti_server.floor.verbs import Verb
from cti_server.in_hand import InHand
from cti_server.record.audit.entries import Actor, acts, note
from cti_server.record.database import Database
from cti_server.record.processes.handovers import Handover
from cti_server.record.processes.requests import Accepted
from cti_server.rules.dial_policy import INSIDE
from cti_server.rules.masking import masked

from .fence import Fence
from .handover import Handovers
from .reaching import numbers as numbers_of
from .requests import Line, Requests
from .steps import Given, Steps
from .targets import phone_of, resolve, seat_at
from .verbs import STEPS
from .work import Failed, Work, refusal

PART_STANDINGS = frozenset(Standing) - {Standing.NONE, Standing.WRAP_UP}
#: verbs that need no part in the call; supervisors may also drop somebody from outside
FROM_OUTSIDE = frozenset({Verb.PICK_UP})
GIVES = {Verb.TRANSFER: "transfer", Verb.CONSULT: "consult"}
#: verbs before which the policy need not be read again. Their actions are judged all the same, by the one known.
DIALS_NOTHING = frozenset({Verb.HANGUP, Verb.ANSWER, Verb.HOLD, Verb.RETRIEVE, Verb.MUTE, Verb.UNMUTE, Verb.DTMF})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Plan:
    """A command that passed its checks: the PBX, the call, the steps to run, and what was decided of each number
    that they dial."""

    attachment: Attachment
    call: Call
    scene: Scene
    given: Given
    steps: Steps
    rulings: Sequence[Ruling]


class Control:
    """The call commands of all PBXs; `api.ports.CallControl`."""

    def __init__(
        self, attachments: Sequence[Attachment], desk: Desk, database: Database, region: str, in_hand: InHand
    ) -> None:
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}
        self._desk = desk
        self._in_hand = in_hand
        self._accepting: dict[str, asyncio.Future[None]] = {}
        self._region = region
        self._requests = Requests()
        self._tasks: set[asyncio.Task[None]] = set()
        self._working: set[asyncio.Task[None]] = set()  # the tasks that have no result yet
        self._closed = False
        self._database = database
        self._handovers = Handovers(database)
        self.fence = Fence(database, region, self._attachments)

    async def close(self) -> None:
        """Refuse new commands, and end those under way as `server_stopping`; they may have taken effect."""
        self._closed = True
        await asyncio.sleep(0)  # let new tasks start: one cancelled before that would send no `command.done`
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- asking ----------------------------------------------------------------------------------------

    async def ask(
        self, asking: Asking, command: CallCommand, key: str | None = None, request: str | None = None
    ) -> str:
        """`request` is the id that a new request is to have, where another process has given it one."""
        if self._closed:
            raise CommandRefused("server_stopping", "the server is stopping; nothing was done")
        await self._refresh(command)
        command = self._canonical(command)
        whole = json.dumps(asdict(command), sort_keys=True)
        before: str | None = None
        if key is not None and self._requests.repeated(asking.agent, command, key) is None:
            before = await self._in_hand.repeated(asking.agent, key, whole)
        if before is not None:
            return before
        # Nothing is awaited between this look and `begin`: of two at once, one repeats the other.
        if (repeats := self._requests.repeated(asking.agent, command, key)) is not None:
            if (accepting := self._accepting.get(repeats)) is not None:
                await asyncio.shield(accepting)
            return repeats
        who = (asking.agent, command.call or "")
        line: Line | None = None
        # A hangup does not wait for the agent's earlier commands.
        if command.verb is Verb.HANGUP or not self._requests.busy(who):
            attachment = self._plan(asking, command).attachment
        else:
            attachment, _ = self._place(asking, command)  # the call's state is checked when this one's turn comes
        if command.verb is not Verb.HANGUP:
            line = self._requests.join(who)
        # Pressing a key twice is two commands, so DTMF is never taken for a repeat.
        once = command.verb is not Verb.DTMF
        request = self._requests.begin(asking.agent, command, key, once=once, request=request)
        accepted = Accepted(request, asking.agent, command.verb.value, command.call)
        try:
            await self._accept(attachment, accepted, whole, key)
        except BaseException:
            self._requests.forget(asking.agent, command, key, request)
            if line is not None:
                self._requests.leave(who)
            raise
        task = asyncio.create_task(self._perform(accepted, asking, command, line), name=f"command {request}")
        for tasks in (self._tasks, self._working):
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return request

    async def _accept(self, attachment: Attachment, accepted: Accepted, whole: str, key: str | None) -> None:
        """Write the command down before it is carried out. Whoever repeats it meanwhile waits for that, too."""
        waiting = self._accepting[accepted.request] = asyncio.get_running_loop().create_future()
        try:
            await self._in_hand.accept(attachment.pipeline.lease, accepted, whole, key)
            waiting.set_result(None)
        except BaseException as cause:
            refused = cause if isinstance(cause, CommandRefused) else over()
            waiting.set_exception(refused)
            waiting.exception()  # marks it as retrieved: most often nobody repeats it
            raise
        finally:
            del self._accepting[accepted.request]

    async def decide(self, asking: Asking, number: str) -> Ruling:
        """What the dial policy says of a number as a person writes it, at the PBX where they sit, else at the
        first."""
        await self.fence.refresh()
        return self.fence.written(
            self._at_whose_pbx(asking) or next(iter(self._attachments.values())), asking, number
        )

    async def _refresh(self, command: CallCommand) -> None:
        """Take in a changed dial policy before a command that may dial. A hangup never waits for the record."""
        if command.verb not in DIALS_NOTHING:
            await self.fence.refresh()

    def _canonical(self, command: CallCommand) -> CallCommand:
        """The command with the call's present id, which differs after the call was merged into another."""
        live = self._live(command.call) if command.call is not None else None
        return replace(command, call=live.id) if live is not None else command

    def _live(self, call: str) -> Call | None:
        attachment = self._attachments.get(call.split(":", 1)[0])
        return followed(attachment.pipeline.books, call) if attachment is not None else None

    # --- the checks ------------------------------------------------------------------------------------

    def _place(self, asking: Asking, command: CallCommand) -> tuple[Attachment, Call | None]:
        """The PBX and the call of a command; `dial` has no call yet.

        Raises CommandRefused: call_over, no_phone, not_yours or pbx_unreachable.
        """
        attachment = self._pbx_of(asking, command)
        books = attachment.pipeline.books
        if books.link is not LinkState.LIVE or not attachment.owner:
            raise unreachable(attachment)
        if command.call is None:
            return attachment, None
        call = followed(books, command.call)
        if call is None or call.ended:
            raise over()
        standing = scene_of(call, asking.agent).standing
        outside = command.verb in FROM_OUTSIDE or (command.verb is Verb.DROP and asking.supervises)
        if standing is Standing.NONE and not outside:
            raise CommandRefused("not_yours", "you have no part in this call")
        return attachment, call

    def _pbx_of(self, asking: Asking, command: CallCommand) -> Attachment:
        if command.call is not None:
            attachment = self._attachments.get(command.call.split(":", 1)[0])
            if attachment is None:
                raise over()
            return attachment
        found = self._at_whose_pbx(asking)
        if found is None:
            raise CommandRefused("no_phone", "you have no phone", "Sign in at the phone where you sit.")
        return found

    def _at_whose_pbx(self, asking: Asking) -> Attachment | None:
        seated = (a for a in self._attachments.values() if phone_of(a.pipeline.books, asking.agent) is not None)
        return next(seated, None)

    def _plan(self, asking: Asking, command: CallCommand) -> Plan:
        """Run every check and make the steps. Raises CommandRefused; the PBX has not been asked for anything."""
        attachment, call = self._place(asking, command)
        books = attachment.pipeline.books
        leg = new_leg(attachment.pbx.name)
        if call is None:
            call = Call(attachment.pbx.name, books.boot, leg, time.time())  # the call that this leg will begin
            scene = Scene(call, None, None, Standing.NONE)
        else:
            scene = scene_of(call, asking.agent)
            if command.verb is not Verb.DROP or not asking.supervises or scene.standing in PART_STANDINGS:
                _check(command.verb, scene)
        if command.verb in (Verb.DIAL, Verb.PICK_UP) and in_a_call(attachment, asking.agent):
            raise CommandRefused("in_a_call", "your phone is in a call", "End it or give it away first.")
        target = None
        if command.target is not None:
            written = partial(self.fence.dialled, attachment)
            target = resolve(books, asking.agent, command.target, written)
        given = Given(
            asking,
            command,
            phone_of(books, asking.agent),
            target,
            seat_at(books, target),
            leg,
            attachment.pbx.notify is not None,
            waiting_leg(books, call),
            queue_asked(books, call),
        )
        steps = STEPS[command.verb](scene, given)
        return Plan(attachment, call, scene, given, steps, self._allowed(attachment, scene, given, steps))

    def _allowed(self, attachment: Attachment, scene: Scene, given: Given, steps: Steps) -> Sequence[Ruling]:
        """Refuse a command that dials what the dial policy does not allow, whose AMI role has no account, or whose
        text could mean something else to Asterisk. Returns what was decided of the numbers."""
        try:
            moves = [step.moves(scene) for step in steps]
        except NotSafe as cause:
            raise CommandRefused("bad_target", str(cause)) from cause
        dialled = (number for actions in moves for number in numbers_of(actions))
        rulings = self.fence.check(attachment, given.asking, given.command.verb.value, dialled)
        roles = {action.role for actions in moves for action in actions}
        missing = [role for role in Role if role in roles and getattr(attachment.pbx, role.value) is None]
        if missing:
            names = " and ".join(f"CTI_AMI_{role.upper()}_USER and _SECRET" for role in missing)
            raise CommandRefused("no_account", f"no AMI user for this at {attachment.pbx.name}", f"Set {names}.")
        return rulings

    # --- running it ------------------------------------------------------------------------------------

    async def _perform(self, accepted: Accepted, asking: Asking, command: CallCommand, line: Line | None) -> None:
        request, call, problem = accepted.request, command.call, None
        try:
            if line is None:
                call, problem = await self._in_turn(asking, command)
            else:
                async with line.lock:
                    call, problem = await self._in_turn(asking, command)
        except asyncio.CancelledError:
            problem = Failed("server_stopping", "the server stopped meanwhile; it may have been done, or not")
        except Exception as cause:
            log.exception("command.failed", request=request, verb=command.verb, call=command.call)
            problem = Failed("internal", f"the server failed: {type(cause).__name__}")
        finally:
            self._working.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            if line is not None:
                self._requests.leave((asking.agent, command.call or ""))
            self._requests.end(asking.agent, command, request)
        await self._in_hand.done(asking.agent, accepted, problem.view() if problem is not None else None, call)

    async def _in_turn(self, asking: Asking, command: CallCommand) -> tuple[str | None, Failed | None]:
        """Check again, for the call may have changed since `ask`, then run the steps.

        Returns the call's id afterwards, and why the command failed, if it did.
        """
        await self._refresh(command)
        try:
            plan = self._plan(asking, command)
        except CommandRefused as refused:
            return command.call, refusal(refused)
        by_grant = self.fence.by_grant(plan.attachment, asking, plan.rulings)
        self._note(plan)  # nothing is awaited in between: of many commands at once each counts the ones before it
        if by_grant:
            await self._audit(asking, command, by_grant)
        left = await self._leave(plan)
        judged = frozenset(ruling.to.number for ruling in plan.rulings)
        work = Work(plan.attachment, plan.call, asking.agent, lambda body: self._ring(asking.agent, body), judged)
        problem = await work.through(plan.steps, plan.scene)
        if problem is not None and left is not None:
            await self._handovers.withdraw(left)
        return now(plan.attachment.pipeline.books, plan.call).id, problem

    async def _audit(self, asking: Asking, command: CallCommand, rulings: Sequence[Ruling]) -> None:
        acts(Actor(f"user:{asking.agent}", asking.login))
        async with self._database.begin():
            for ruling in rulings:
                detail = {"verb": command.verb.value, "kind": ruling.to.kind, "country": ruling.to.country}
                note("number.dialled", masked(ruling.to.number), detail, allowed_by="dial_anywhere")

    def _note(self, plan: Plan) -> None:
        """Log and count what is dialled now, and each call outside for its person's limits."""
        given = plan.given
        for ruling in plan.rulings:
            self.fence.tell(given.asking, given.command.verb.value, ruling)
            if ruling.to.kind in INSIDE or ruling.to.kind == "emergency":
                continue
            # A consultation and a transfer go on in the call that there is; anything else begins with a new leg.
            own = given.command.verb in GIVES
            leg, call = (None, plan.call.id) if own else (given.leg, None)
            self.fence.outside.note(given.asking.agent, plan.attachment.pbx.name, leg=leg, call=call)

    async def _leave(self, plan: Plan) -> int | None:
        """Leave what was said before the call goes, so that it is there when the colleague's phone rings.

        Returns its number; None for a verb that gives no call away.
        """
        asking, command = plan.given.asking, plan.given.command
        if command.verb not in GIVES:
            return None
        to = command.target.id if isinstance(command.target, AgentTarget) else None
        kind: Any = GIVES[command.verb]
        at = datetime.now(UTC)
        return await self._handovers.leave(
            plan.call.id, Handover(asking.agent, asking.name, kind, at, to, command.said)
        )

    # --- telling ---------------------------------------------------------------------------------------

    async def _ring(self, agent: int, body: dict[str, Any]) -> None:
        """Tell the agent's desktops to answer; `body` is {"call", "leg"}."""
        await self._tell(agent, "phone.answer", body)

    async def _tell(self, agent: int, kind: str, body: dict[str, Any]) -> None:
        await self._desk.tell(kind, body, only(agent))


def _check(verb: Verb, scene: Scene) -> None:
    """Raises CommandRefused, naming the state, where the table of states does not allow the verb now."""
    if (refused := refusal_of(verb, scene)) is not None:
        raise CommandRefused(refused.code, refused.detail, refused.remedy)


def new_leg(pbx: str) -> str:
    """A new leg's id. Asterisk's own are `systemname-epoch.counter`; our counters are too large to meet them."""
    return f"{pbx}-cti-{int(time.time())}.{10**8 + secrets.randbelow(9 * 10**8)}"


def in_a_call(attachment: Attachment, agent: int) -> bool:
    return any(part.open for _, part in attachment.pipeline.books.parts_of(agent))


def waiting_leg(books: Books, call: Call) -> Leg | None:
    """The leg of this call that waits in a queue."""
    queue = books.queues.get(call.queue) if call.queue is not None else None
    waiting = queue.waiting if queue is not None else {}
    return next((leg for leg in call.legs.values() if leg.id in waiting), None)


def queue_asked(books: Books, call: Call) -> str | None:
    """The queue in which an agent of this call asks for a colleague: they wait in it behind a Local channel."""
    return next((queue for half in call.halves() if (queue := books.waits_in(half.id)) is not None), None)


def over() -> CommandRefused:
    return CommandRefused("call_over", "that call is over")


def unreachable(attachment: Attachment) -> CommandRefused:
    state = attachment.pipeline.books.link
    why = f"the PBX {attachment.pbx.name} is not connected ({state}); nothing was done"
    return CommandRefused("pbx_unreachable", why)
