"""The handover capsule: what the colleague who gives a call away leaves for the one who takes it.

The record has what they typed. The floor knows who gave the call, who calls and the caller's path, and the record
holds the draft note. A call that was transferred with a phone's own keys therefore has a capsule too, and every
process can make it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from cti_server.floor.parts import CONNECTED, Origin
from cti_server.floor.replica import Replica
from cti_server.record.contacts import wrap_ups
from cti_server.record.database import Database
from cti_server.record.processes import handovers
from cti_server.record.processes.handovers import Handover

KINDS: Final[Mapping[str, Literal["transfer", "consult"]]] = {
    Origin.TRANSFER.value: "transfer",
    Origin.CONSULT.value: "consult",
}
_CONNECTED: Final = frozenset(state.value for state in CONNECTED)

View = Mapping[str, Any]


class Capsules:
    """The capsules of one PBX's calls."""

    def __init__(self, replica: Replica, database: Database) -> None:
        self._replica = replica
        self._database = database

    async def read(self, call: str, agent: int) -> dict[str, Any] | None:
        """The `HandoverView` for this agent, with the sender's draft as it is now; None when nobody gave them the
        call. Raises what the database raises."""
        view = self._replica.calls.get(call)
        if view is None:
            return None
        async with self._database.read() as conn:
            left = await handovers.of_calls(conn, [call, *self._replica.aliases(call)])
            found = given(left, self._replica.parts(call), agent)
            if found is None:
                return None
            draft = None
            if view["interaction"] is not None:
                draft = await wrap_ups.mine(conn, view["interaction"], found["from"]["agent"])
        return {
            **found,
            "note": draft.note if draft is not None else None,
            "code": draft.wrap_code if draft is not None else None,
            "match": view["match"],
            "path": view["path"],
        }


def given(left: Sequence[Handover], parts: Sequence[View], agent: int) -> dict[str, Any] | None:
    """Who gave the agent this call, how and when, and what they said: by what was left last for them or for
    whoever takes it, else by the parts of the call. None when nobody did."""
    for_agent = [one for one in left if one.agent != agent and one.to in (None, agent)]
    sent = max(for_agent, key=lambda one: one.at, default=None)
    if sent is not None:
        return _given(sent.agent, sent.name, sent.kind, sent.at.isoformat(timespec="milliseconds"), sent.said)
    own = _part_of(parts, agent)
    if own is None or own["origin"] not in KINDS:
        return None
    gave = next((part for part in reversed(parts) if _gave(part, own)), None)
    if gave is None:
        return None
    return _given(gave["agent"], gave["name"], KINDS[own["origin"]], own["offered_at"] or own["since"], None)


def _given(agent: int, name: str, kind: str, since: str, said: str | None) -> dict[str, Any]:
    return {
        "from": {"agent": agent, "name": name},
        "kind": kind,
        "said": said,
        "since": since.replace("+00:00", "Z"),
    }


def _part_of(parts: Sequence[View], agent: int) -> View | None:
    """The agent's part that matters now: an open one, else the last."""
    own = [part for part in parts if part["agent"] == agent]
    return next((part for part in reversed(own) if part["outcome"] is None), own[-1] if own else None)


def _gave(part: View, to: View) -> bool:
    before = part["position"] < to["position"] and part["agent"] not in (None, to["agent"])
    still = part["outcome"] is None and part["state"] in _CONNECTED
    return before and (part["outcome"] == "transferred" or still)
