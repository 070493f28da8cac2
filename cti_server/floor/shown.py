"""What desktops see of each object, as plain tuples. After each signal they are compared with those sent last.

Comparing is most of the floor's work, and building views would cost far more; so a view (`views.py`) is built only
of a tuple that differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .agents import Agent, Because, By
from .books import Books
from .calls import Call, Direction, Leg
from .parts import CONNECTED, Origin, Part, PartState, Why
from .people import Person, people
from .queues import Duty, Queue
from .signals import MemberChanged, MemberStatus, Recording
from .standing import Scene, Standing, by_part, leg_of, scene_at

MAX_RINGING_SHOWN = 3  # ringing agents shown with a call that nobody has answered


class AgentOnCall(NamedTuple):
    """An agent who is on a call, or whose phone rings for it."""

    agent: int | None
    seat: str
    name: str
    state: PartState
    since: float


class CallShown(NamedTuple):
    """A call without its parts. Its row in the record (`interaction`) is left out: it alone makes no event."""

    direction: Direction
    state: str
    ani: str | None
    ani_name: str | None
    dnis: str | None
    queue: str | None
    position: int | None
    steps: int
    queued_at: float | None
    waiting_since: float | None
    answered_at: float | None
    ended_at: float | None
    wait_s: float | None
    held_since: float | None
    customer: dict[str, Any] | None
    verdict: str | None
    match: str
    agents: tuple[AgentOnCall, ...]
    more_ringing: bool
    people: tuple[Person, ...]
    recording: Recording
    park_space: str | None
    outcome: str | None
    ended_by: str | None
    complete: bool
    merged_into: str | None


def call_shown(call: Call) -> CallShown:
    is_waiting = call.waiting_since is not None
    agents, rings_more = _agents(call)
    return CallShown(
        call.direction,
        call.state,
        call.number,
        call.ani_name,
        call.dnis,
        call.queue,
        call.position if is_waiting else None,
        len(call.path),
        call.queued_at,
        call.waiting_since,
        call.answered_at,
        call.ended_at,
        None if is_waiting or call.queued_at is None else call.wait_s,
        _held_since(call),
        call.customer,
        call.verdict["code"] if call.verdict is not None else None,
        call.match,
        agents,
        rings_more,
        people(call),
        call.recording,
        call.park_space,
        call.outcome,
        call.ended_by,
        call.complete,
        call.merged_into,
    )


def _held_since(call: Call) -> float | None:
    """Since when the caller hears music: an agent holds the call, or parked it and left."""
    if held := [p.since for p in call.parts if p.state is PartState.HOLD and p.open]:
        return min(held)
    left = [p.ended_at for p in call.parts if p.ended_at is not None] if call.park_space is not None else []
    return max(left, default=None)


def _agents(call: Call) -> tuple[tuple[AgentOnCall, ...], bool]:
    """The agents who are connected; while nobody is, the first few whose phones ring, and whether more do."""
    open_parts = [p for p in call.parts if p.outcome is None]
    connected = [p for p in open_parts if p.state in CONNECTED]
    shown = connected or open_parts[:MAX_RINGING_SHOWN]
    on_call = tuple(AgentOnCall(p.agent, p.seat, p.name, p.state, p.since) for p in shown)
    return on_call, not connected and len(open_parts) > MAX_RINGING_SHOWN


class WrapUpShown(NamedTuple):
    """What wrap-up still asks of the agent, and for how long."""

    mode: str
    ends_at: float | None
    extensions_left: int
    code: str | None
    code_required: bool
    wanted: bool


class Consultation(NamedTuple):
    """The consultation that this agent began: the colleague's leg, whether they have answered, and whether the
    agent is with them (not with the caller) now."""

    leg: str | None
    answered: bool
    with_them: bool


class PartShown(NamedTuple):
    """One agent's part of a call, and where they stand in it."""

    position: int
    agent: int | None
    seat: str
    name: str
    state: PartState
    since: float
    reason: str | None
    outcome: str | None
    origin: Origin
    queue: str | None
    offered_at: float | None
    answered_at: float | None
    talk_s: float
    hold_s: float
    leg: str | None
    muted: bool
    why: Why | None
    wrap_up: WrapUpShown | None
    standing: Standing
    recording: Recording
    consultation: Consultation | None


def part_shown(call: Call, part: Part) -> PartShown:
    standing, consultation = _stands(call, part)
    wrap = part.wrap
    return PartShown(
        part.position,
        part.agent,
        part.seat,
        part.name,
        part.state,
        part.since,
        part.reason,
        part.outcome,
        part.origin,
        part.queue,
        part.offered_at,
        part.answered_at,
        part.talk_s,
        part.hold_s,
        part.leg,
        call.is_muted(part),
        part.why,
        WrapUpShown(
            wrap.rule.mode, wrap.ends_at, wrap.extensions_left, wrap.code, wrap.rule.code_required, wrap.wanted
        )
        if part.answered_at is not None and part.agent is not None and part.state is not PartState.LEFT
        else None,
        standing,
        call.recording if part.open else Recording.OFF,
        consultation,
    )


def _stands(call: Call, part: Part) -> tuple[Standing, Consultation | None]:
    if not part.open:
        return (Standing.WRAP_UP if part.state is PartState.WRAP_UP else Standing.NONE), None
    if part.state is PartState.RINGING:
        # Whom they would hear is not asked: this is read often.
        return by_part(call, part, leg_of(call, part)), None
    scene = scene_at(call, part)
    return scene.standing, _consultation(scene)


def _consultation(scene: Scene) -> Consultation | None:
    match scene.standing:
        case Standing.REACHING:
            return Consultation(next(_reached(scene), None), answered=False, with_them=True)
        case Standing.CONSULTING | Standing.ALTERNATED if scene.consulted is not None:
            return Consultation(scene.consulted.id, True, scene.standing is Standing.CONSULTING)
    return None


def _reached(scene: Scene) -> Iterator[str]:
    """The leg that is being called: the youngest that is neither the agent's own nor waiting for the agent."""
    legs: list[Leg] = [
        leg
        for leg in scene.call.legs.values()
        if not leg.local and leg is not scene.mine and leg not in scene.waiting
    ]
    yield from (leg.id for leg in sorted(legs, key=lambda leg: leg.started_at, reverse=True))


class QueueShown(NamedTuple):
    """A queue in numbers."""

    title_en: str | None
    title_zh: str | None
    waiting: int
    longest_since: float | None
    members: int
    ready: int
    busy: int
    paused: int
    off: int


def queue_shown(queue: Queue) -> QueueShown:
    titles, counts = queue.description, queue.counts
    return QueueShown(
        titles.title_en,
        titles.title_zh,
        len(queue.waiting),
        queue.longest_since,
        len(queue.members),
        counts[Duty.READY],
        counts[Duty.BUSY],
        counts[Duty.PAUSED],
        counts[Duty.OFF],
    )


class MemberShown(NamedTuple):
    """One member of a queue. `name` is the record's name for the agent at that seat, else the queue's."""

    interface: str
    agent: int | None
    name: str
    seat: str
    status: MemberStatus
    paused: bool
    reason: str | None
    penalty: int


def member_shown(books: Books, member: MemberChanged) -> MemberShown:
    agent = books.agent_at(member.seat)
    return MemberShown(
        member.interface,
        agent.id if agent is not None else None,
        agent.name if agent is not None else member.name,
        member.seat,
        member.status,
        member.paused,
        member.reason,
        member.penalty,
    )


class AgentShown(NamedTuple):
    """An agent's state and its reason, the wish that is pending, their phone, and the queues that they serve."""

    name: str
    reason: str | None
    since: float | None
    by: By | None
    because: Because | None
    until: float | None
    pending: tuple[str, str | None, By] | None
    seat: str | None
    phone_reachable: bool | None
    phone_since: float | None
    on_shift: bool
    serves: frozenset[str]
    known_as: tuple[str, str | None, str]  # name, extension, role: what colleagues are shown
    shift: ShiftShown | None


class ShiftShown(NamedTuple):
    """The phone at which an agent works, and since when."""

    seat: str | None
    extension: str | None
    kind: str
    since: float


def agent_shown(agent: Agent, serves: frozenset[str]) -> AgentShown:
    state, pending, shift = agent.state, agent.pending, agent.shift
    return AgentShown(
        state.name,
        state.reason,
        agent.since,
        state.by,
        state.because,
        state.until,
        (pending.name, pending.reason, pending.by) if pending is not None else None,
        agent.seat,
        agent.phone_reachable,
        agent.phone_since,
        agent.at_work,
        serves,
        (agent.name, agent.extension, agent.role),
        ShiftShown(agent.seat, shift.extension, shift.kind, shift.since) if shift is not None else None,
    )
