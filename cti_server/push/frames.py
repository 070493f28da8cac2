"""The frames of /ws: checks the messages of a desktop, and serialises each event once for all desktops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cti_server.floor import topics as topic_names
from cti_server.floor.events import About
from cti_server.record.journal import Entry
from cti_server.record.schema import to_json
from cti_server.rules.rights import Viewer, may_see

HEARTBEAT_S = 5
MAX_TOPICS = 50  # that one message may open, and as many that it may close
MAX_OPEN = 200  # that one desktop may have open, and so may name when it resumes

Positions = dict[str, int]
TopicName = Annotated[str, Field(min_length=1, max_length=220)]
TopicNames = Annotated[list[TopicName], Field(max_length=MAX_TOPICS)]
Refusal = Literal["not_yours", "unknown"]


# --- what a desktop says -----------------------------------------------------------------------------------


class Hello(BaseModel):
    """The first message of a desktop that has no events yet."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["hello"]
    ticket: str = Field(max_length=200)


class Resume(BaseModel):
    """The first message of a desktop that was connected before: its position in each stream, its open topics."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["resume"]
    ticket: str = Field(max_length=200)
    positions: dict[Annotated[str, Field(max_length=80)], Annotated[int, Field(ge=0, le=2**63 - 1)]] = Field(
        max_length=50
    )
    topics: Annotated[list[TopicName], Field(max_length=MAX_OPEN)] = []


class Watch(BaseModel):
    """The topics that the desktop opens and closes."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["watch"]
    open: TopicNames = []
    close: TopicNames = []


FIRST: TypeAdapter[Hello | Resume] = TypeAdapter(Annotated[Hello | Resume, Field(discriminator="type")])
LATER: TypeAdapter[Watch] = TypeAdapter(Watch)


# --- what it is sent ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Serves:
    """The queues of one PBX that an agent serves from this event on."""

    agent: int
    pbx: str
    queues: frozenset[str]


@dataclass(frozen=True, slots=True)
class Frame:
    """One event, ready to send, and its audience: the agents it names, supervisors, whoever opened one of its
    topics, or everyone. With `about`, those who are told as supervisors, or because they opened the floor, are
    only those who supervise one of its agents or queues.

    `serves` and `left` change what an agent may see: `serves` has the queues that they serve from now on, `left`
    the agent and the id of a call that they left.
    """

    stream: str
    seq: int
    text: str
    agents: frozenset[int] = field(default_factory=frozenset)
    everyone: bool = False
    supervisors: bool = False
    topics: frozenset[str] = field(default_factory=frozenset)
    about: About | None = None
    serves: Serves | None = None
    left: tuple[int, str] | None = None

    def concerns(self, viewer: Viewer, opened: Set[str] = frozenset()) -> bool:
        """Whether the audience includes a desktop of this viewer that has opened these topics."""
        if (
            self.everyone
            or viewer.agent in self.agents
            or not self.topics.isdisjoint(opened - topic_names.BY_TEAM)
        ):
            return True
        by_right = not self.topics.isdisjoint(opened & topic_names.BY_TEAM)
        return (by_right or (self.supervisors and viewer.supervises)) and self.is_of(viewer)

    def is_of(self, viewer: Viewer) -> bool:
        """Whether the viewer supervises somebody or some queue that the event is about."""
        return self.about is None or may_see(viewer, self.about)


@dataclass(frozen=True, slots=True)
class Note:
    """A frame for one desktop only. It waits in the desktop's line like an event, but belongs to no stream."""

    text: str


def of_entry(entry: Entry, body: dict[str, Any], *, provisional: bool = False) -> Frame:
    """The frame of a journal row. `body` is sent in place of its own. `provisional`: it is not written yet."""
    at = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return of_event(entry.stream, entry.seq, at, entry.kind, body, entry.audience, provisional=provisional)


def of_event(
    stream: str,
    seq: int,
    at: str,
    kind: str,
    body: dict[str, Any],
    audience: Mapping[str, Any] | None,
    *,
    provisional: bool = False,
) -> Frame:
    """The frame of an event. `at` is ISO 8601; `audience` is as the journal keeps it, None for everyone."""
    text = event(stream, seq, at, kind, body, provisional=provisional)
    if audience is None:
        return Frame(stream, seq, text, everyone=True)
    return Frame(
        stream,
        seq,
        text,
        frozenset(audience["agents"]),
        audience["everyone"],
        audience["supervisors"],
        frozenset(audience["topics"]),
        _about(audience.get("about")),
        _serves(kind, body),
        _left(kind, body),
    )


def _about(told: Mapping[str, Any] | None) -> About | None:
    return None if told is None else About(frozenset(told["agents"]), frozenset(told["queues"]))


def _serves(kind: str, body: dict[str, Any]) -> Serves | None:
    if kind != "me.changed" or "queues" not in body:
        return None
    return Serves(body["agent"], body["pbx"], frozenset(body["queues"]))


def _left(kind: str, body: dict[str, Any]) -> tuple[int, str] | None:
    if kind != "part.changed" or body["agent"] is None or not body["leaves"]:
        return None
    return body["agent"], body["call"]


def serving(pbx: str, queues: Iterable[str]) -> set[str]:
    """The topics that the agents who serve these queues of a PBX get without opening them."""
    return {topic_names.serving(pbx, name) for name in queues}


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dumps(frame: dict[str, Any]) -> str:
    return to_json(frame)


def event(stream: str, seq: int, at: str, kind: str, body: dict[str, Any], *, provisional: bool = False) -> str:
    mark = {"provisional": True} if provisional else {}
    return dumps({"type": "event", "stream": stream, "seq": seq, "at": at, "kind": kind, "body": body, **mark})


def confirmed(stream: str, seq: int) -> Note:
    """What was told provisionally of this stream, up to this number, is in the record."""
    return Note(dumps({"type": "confirmed", "stream": stream, "seq": seq}))


def record(away_since: datetime | None, stale: Iterable[str]) -> Note:
    """The record cannot be used since then, or can again (None). Of the streams in `stale` this process hears
    nothing meanwhile."""
    since = (
        away_since.isoformat(timespec="milliseconds").replace("+00:00", "Z") if away_since is not None else None
    )
    return Note(dumps({"type": "record", "away_since": since, "stale": sorted(stale)}))


def welcome(positions: Positions, snapshot: dict[str, Any] | None, ahead: Iterable[str] = ()) -> str:
    """The session has begun. `snapshot` is None for a desktop that resumes and gets its missed events instead. In
    the streams of `ahead` a part of what it shows is not in the record yet."""
    return dumps(
        {
            "type": "welcome",
            "server_time": now_text(),
            "heartbeat_s": HEARTBEAT_S,
            "positions": positions,
            "provisional": sorted(ahead),
            "resumed": snapshot is None,
            "snapshot": snapshot,
        }
    )


def watching(topic: str, stream: str, seq: int, snapshot: dict[str, Any]) -> Note:
    """A topic is open. `snapshot` is what it shows of this stream as of `seq`."""
    return Note(dumps({"type": "watching", "topic": topic, "stream": stream, "seq": seq, "snapshot": snapshot}))


def refused(topic: str, why: Refusal) -> Note:
    """A topic was not opened, or was closed."""
    return Note(dumps({"type": "watching", "topic": topic, "refused": why}))


def heartbeat(positions: Positions) -> str:
    return dumps({"type": "heartbeat", "server_time": now_text(), "positions": positions})


def reset(reason: str) -> str:
    return dumps({"type": "reset", "reason": reason})
