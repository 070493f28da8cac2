"""Every recorded scenario of a real Asterisk, played through decoder, translator and floor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import zip_longest
from typing import Any

import pytest

from cti_server.floor import topics
from cti_server.floor.apply import Floor
from cti_server.floor.calls import Call
from cti_server.floor.desk_signals import AgentSeated, WrapUpFinished
from cti_server.floor.signals import LegPickedUp, MemberConnected, MemberRemoved, Signal, Snapshot
from cti_server.record.calls import call_of, record_of
from cti_server.record.contacts.history import Interaction, Segment
from cti_server.record.contacts.interactions import InteractionRecord
from tests.floor.fold import Desktop, Viewer, fresh
from tests.transcripts.play import Transcript, names

SEATS = {number: f"PJSIP/{1000 + number}" for number in range(1, 6)}


def seated() -> Iterator[Signal]:
    """Agents 1 to 5 sit at 1001 to 1005."""
    return (AgentSeated(0.0, number, f"agent {number}", seat) for number, seat in SEATS.items())


def play(signals: Iterable[Signal], floor: Floor) -> dict[str, Call]:
    """Apply them all; the calls that there were, as they were last."""
    calls: dict[str, Call] = {}
    for signal in signals:
        floor.apply(signal)
        calls |= {call.id: call for call in floor.take_changed()}
    return calls


def unmerged(calls: dict[str, Call]) -> dict[str, Call]:
    """Without those that became part of another."""
    return {key: call for key, call in calls.items() if call.merged_into is None}


@pytest.fixture(params=names())
def transcript(request: pytest.FixtureRequest) -> Transcript:
    return Transcript.load(request.param)


def test_the_calls_are_what_really_happened(transcript: Transcript) -> None:
    floor = Floor(transcript.truth["pbx"])
    calls = unmerged(play([*seated(), *transcript.signals()], floor))

    told = [described(call) for call in sorted(calls.values(), key=lambda c: c.started_at)]
    for one, true in zip(told, transcript.truth["calls"], strict=True):
        if true.get("any_order"):  # phones that ring at once
            for segments_ in (one["segments"], true["segments"]):
                segments_.sort(key=lambda s: s["seat"])
    assert [keys(one, true) for one, true in zip(told, transcript.truth["calls"], strict=True)] == [
        exact(true) for true in transcript.truth["calls"]
    ]
    for one, true in zip(told, transcript.truth["calls"], strict=True):
        within(one, true)
    assert not [c for c in floor.calls.values() if not c.ended], "a call was left open"


@pytest.mark.parametrize("name", ["pickup", "phone-picks-up-a-queue-call", "desk-take-ringing"])
def test_who_picked_up_is_the_same_whichever_word_comes_first(name: str) -> None:
    """Two threads of Asterisk tell of a pick-up: the queue names the member that it rang, and the picker's
    phone."""
    transcript = Transcript.load(name)
    signals = list(transcript.signals())
    picked = next(at for at, signal in enumerate(signals) if isinstance(signal, LegPickedUp))
    connected = next(at for at, signal in enumerate(signals) if isinstance(signal, MemberConnected))
    assert picked < connected
    word = signals.pop(connected)
    signals.insert(picked, replace(word, at=signals[picked].at))
    floor = Floor(transcript.truth["pbx"])
    calls = unmerged(play([*seated(), *signals], floor))
    told = [described(call) for call in sorted(calls.values(), key=lambda c: c.started_at)]
    assert [keys(one, true) for one, true in zip(told, transcript.truth["calls"], strict=True)] == [
        exact(true) for true in transcript.truth["calls"]
    ]


def test_old_snapshot_and_events_make_the_fresh_snapshot_for_every_viewer(transcript: Transcript) -> None:
    """Each agent (in the queue, or taken out of it while the tape plays), and a supervisor with the floor open."""
    floor = Floor(transcript.truth["pbx"])
    desktops = [Desktop(floor, viewer) for viewer in (*map(Viewer, SEATS), Viewer(0, (topics.FLOOR,)))]
    watched: set[str] = set()

    def see(signal: Signal) -> None:
        events = floor.apply(signal)
        for desktop in desktops:
            for event in events:
                desktop.take(event)
            desktop.forget_what_is_over()
            assert desktop.state == fresh(floor, desktop.viewer), (desktop.viewer, signal)

    for signal in [*seated(), *transcript.signals()]:
        see(signal)
        # Somebody opens each queue and each call as soon as there is one.
        there = [topics.queue(floor.pbx, name) for name in floor.queues] + [
            topics.call(call) for call in floor.calls
        ]
        for topic in there:
            if topic not in watched:
                watched.add(topic)
                desktops.append(Desktop(floor, Viewer(0, (topic,))))
    for member in list(floor.books.memberships(SEATS[1])):
        see(MemberRemoved(1e10, member.queue, member.interface))
    for call in list(floor.calls.values()):
        for agent in {p.agent for p in call.parts if p.agent is not None}:
            see(WrapUpFinished(1e10, call.id, agent))
    assert not floor.calls


def test_a_snapshot_in_mid_call_finds_nothing_to_correct(transcript: Transcript) -> None:
    floor = Floor(transcript.truth["pbx"])
    for signal in [*seated(), *transcript.signals()]:
        events = floor.apply(signal)
        if isinstance(signal, Snapshot) and signal.drift_check:
            assert [(e.kind, e.body) for e in events] == []


def test_a_signal_told_twice_changes_nothing(transcript: Transcript) -> None:
    once, twice = Floor(transcript.truth["pbx"]), Floor(transcript.truth["pbx"])
    signals = [*seated(), *transcript.signals()]
    expected = [described(c) for c in unmerged(play(signals, once)).values()]
    got = [described(c) for c in unmerged(play((s for s in signals for _ in (1, 2)), twice)).values()]

    assert got == expected


def test_a_restart_at_any_snapshot_loses_and_doubles_nothing(transcript: Transcript) -> None:
    """The server is killed while a snapshot is taken; the next one starts from the record and that snapshot."""
    signals = [*seated(), *transcript.signals()]
    whole = Floor(transcript.truth["pbx"])
    expected = {key: described(call) for key, call in unmerged(play(signals, whole)).items()}
    cuts = [n for n, s in enumerate(signals) if isinstance(s, Snapshot)][1:]
    for cut in cuts:
        first, second = Floor(transcript.truth["pbx"]), Floor(transcript.truth["pbx"])
        before = play(signals[:cut], first)
        for call in before.values():
            if not call.ended:
                second.restore(call_of(stored(record_of(call))))
        begun = replace(signals[cut], drift_check=False)  # type: ignore[call-arg]
        after = play([*seated(), begun, *signals[cut + 1 :]], second)
        got = {key: described(call) for key, call in unmerged(before | after).items()}
        assert outcomes(got) == outcomes(expected), f"cut at {cut}"


# --- how a call is compared with the truth ---------------------------------------------------------------


def described(call: Call) -> dict[str, Any]:
    row = record_of(call)
    visits = [*(s.queue for s in row.segments), row.queue]
    segments = [
        {
            "seat": s.seat,
            "origin": s.origin,
            "outcome": s.outcome,
            "queue": s.queue,
            "ring_ms": s.ring_ms,
            "talk_ms": s.talk_ms,
            "hold_ms": s.hold_ms,
        }
        for s in row.segments
    ]
    return {
        "direction": row.direction,
        "ani": row.ani_raw,
        "ani_name": row.ani_name,
        "dnis": row.dnis,
        "queue": row.queue,
        "queues": [q for n, q in enumerate(visits) if q and q not in visits[:n]],
        "outcome": row.outcome,
        "ended_by": row.ended_by,
        "complete": row.complete,
        "wait_ms": row.wait_ms,
        "talk_ms": row.talk_ms,
        "hold_ms": row.hold_ms,
        "ivr_path": [{"step": s["step"], "choice": s["choice"]} for s in row.ivr_path],
        "segments": segments,
    }


#: what `within` compares, or what stands in the .json for its reader
APART = ("segments", "segments_at_least")


def exact(true: dict[str, Any]) -> dict[str, Any]:
    """What must match to the letter: everything told that is not a range of milliseconds."""
    told = set(described(Call("", 0, "", 0.0)))
    found = {k: v for k, v in true.items() if k in told and v is not None and k not in APART}
    found = {k: v for k, v in found.items() if not k.endswith("_ms")}
    if any(name in true for name in APART):
        found["segments"] = [plain(s) for s in segments(true)]
    return found


def plain(segment: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in segment.items() if k != "interface" and not k.endswith("_ms")}


def segments(true: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = true.get("segments") or true.get("segments_at_least") or []
    return found


def keys(told: dict[str, Any], true: dict[str, Any]) -> dict[str, Any]:
    """The same fields of what the floor says; of `segments_at_least` only the last ones."""
    wanted = exact(true)
    if "segments" not in wanted:
        return {k: told[k] for k in wanted}
    mine = told["segments"]
    if "segments_at_least" in true:
        mine = [mine[0], *mine[len(mine) - len(wanted["segments"]) + 1 :]]
    nothing: dict[str, Any] = {}
    pairs = zip_longest(mine, wanted["segments"], fillvalue=nothing)
    named = [{k: v for k, v in segment.items() if k in names} for segment, names in pairs]
    return {k: told[k] for k in wanted if k != "segments"} | {"segments": named}


def within(told: dict[str, Any], true: dict[str, Any]) -> None:
    for name, range_ in ((k, v) for k, v in true.items() if k.endswith("_ms")):
        assert range_[0] <= told[name] <= range_[1], (name, told[name], range_)
    for mine, segment in zip(told["segments"], true.get("segments", []), strict="segments" in true):
        within({**mine, "segments": []}, {**segment, "segments": []})


def outcomes(calls: dict[str, dict[str, Any]]) -> Any:
    return {
        key: (c["outcome"], c["ended_by"], c["complete"], [(s["seat"], s["outcome"]) for s in c["segments"]])
        for key, c in calls.items()
    }


def stored(row: InteractionRecord) -> Interaction:
    """The row as the record gives it back."""
    segments = tuple(
        Segment(**asdict(s) | {"id": 1, "interaction_id": 1, "agent_name": None}) for s in row.segments
    )
    fields = {name: getattr(row, name) for name in row.__dataclass_fields__ if name != "segments"}
    return Interaction(id=1, segments=segments, **fields)
