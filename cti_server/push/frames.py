"""The frames of /ws: what a desktop may say (checked), and what it is sent (serialised once for all of them)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

HEARTBEAT_S = 5

Positions = dict[str, int]


class Hello(BaseModel):
    """The first message of a desktop that knows nothing yet."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["hello"]
    ticket: str = Field(max_length=200)


class Resume(BaseModel):
    """The first message of a desktop that was connected before: what it has of each stream."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["resume"]
    ticket: str = Field(max_length=200)
    positions: dict[Annotated[str, Field(max_length=80)], Annotated[int, Field(ge=0, le=2**63 - 1)]] = Field(
        max_length=50
    )


FIRST: TypeAdapter[Hello | Resume] = TypeAdapter(Annotated[Hello | Resume, Field(discriminator="type")])


@dataclass(frozen=True, slots=True)
class Frame:
    """One event, ready to send. Who gets it: the agents it names, supervisors, or everyone.

    Not `floor`: only the agents it names, such as what one writes to another.
    """

    stream: str
    seq: int
    text: str
    agents: frozenset[int] = field(default_factory=frozenset)
    everyone: bool = False
    floor: bool = True

    def concerns(self, agent: int, sees_floor: bool) -> bool:
        return self.everyone or (sees_floor and self.floor) or agent in self.agents


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dumps(frame: dict[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def event(stream: str, seq: int, at: str, kind: str, body: dict[str, Any]) -> str:
    return dumps({"type": "event", "stream": stream, "seq": seq, "at": at, "kind": kind, "body": body})


def welcome(positions: Positions, snapshot: dict[str, Any] | None) -> str:
    """`snapshot` is None for a desktop that resumes: it gets the events that it missed instead."""
    return dumps(
        {
            "type": "welcome",
            "server_time": now_text(),
            "heartbeat_s": HEARTBEAT_S,
            "positions": positions,
            "resumed": snapshot is None,
            "snapshot": snapshot,
        }
    )


def heartbeat(positions: Positions) -> str:
    return dumps({"type": "heartbeat", "server_time": now_text(), "positions": positions})


def reset(reason: str) -> str:
    return dumps({"type": "reset", "reason": reason})
