"""Floors for the tests of call control: real ones from transcripts, and small ones made by signals."""

from __future__ import annotations

from collections.abc import Iterator

from cti_server.floor.apply import Floor
from cti_server.floor.signals import Signal, Snapshot
from cti_server.floor.standing import Scene, Standing, scene_of
from tests.floor.test_transcripts import seated
from tests.transcripts.play import Transcript


def played(name: str) -> Iterator[tuple[Floor, Signal]]:
    """The floor after each signal of a transcript; agents 1 to 5 sit at 1001 to 1005."""
    transcript = Transcript.load(name)
    floor = Floor(transcript.truth["pbx"])
    for signal in [*seated(), *transcript.signals()]:
        floor.apply(signal)
        yield floor, signal


def standings(name: str, agent: int) -> list[Standing]:
    """Where this agent stood, one after the other, in the call in which they had most to do."""
    seen: dict[str, list[Standing]] = {}
    for floor, _ in played(name):
        for call in floor.calls.values():
            line = seen.setdefault(call.id, [Standing.NONE])
            if (standing := scene_of(call, agent).standing) is not line[-1]:
                line.append(standing)
    return max(seen.values(), key=len)[1:]


def settled(name: str, agent: int) -> list[Scene]:
    """The scenes at the lists in mid-call: when they were taken, nothing moved."""
    scenes = []
    for floor, signal in played(name):
        if isinstance(signal, Snapshot):
            scenes += [scene_of(call, agent) for call in floor.calls.values() if not call.ended]
    return scenes


def floor_when(name: str, agent: int, standing: Standing) -> tuple[Floor, Scene]:
    """The floor as it is when this agent first stands so."""
    for floor, _ in played(name):
        for call in floor.calls.values():
            scene = scene_of(call, agent)
            if scene.standing is standing:
                return floor, scene
    raise AssertionError(f"in {name} agent {agent} is never {standing}")
