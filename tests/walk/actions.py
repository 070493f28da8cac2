"""What can be done at a moment of the walk, and how often: a table of kinds, each with the options it has now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from .around import Around
from .site import QUEUES, Person

LINES = {
    "4008004000": "support",
    "4008002000": "sales",
    "4008003000": "vip, all phones ring",
    "4008005000": "night",
    "02085550100": "FreePBX members",
    "4008009000": "a direct line",
    "4008001000": "the voice menu",
}
OUTSIDE = ("01062345678", "02087654321")
CALLERS_AT_ONCE = 5


class Option(NamedTuple):
    """Something that can be done now. `do` returns what was seen of it at once."""

    what: str
    do: Callable[[], Awaitable[str]]


class Kind(NamedTuple):
    """`weight` is relative to that of the other kinds that have an option. `desk`: it needs the server."""

    name: str
    weight: float
    options: Callable[[Around], Iterator[Option]]
    desk: bool = True


def _steer(what: str, do: Callable[[], Any]) -> Option:
    async def run() -> str:
        try:
            await asyncio.to_thread(do)
        except OSError as error:
            return f"failed: {error}"
        return ""

    return Option(what, run)


# --- callers and phones ------------------------------------------------------------------------------------


def call_comes(around: Around) -> Iterator[Option]:
    if len(around.living()) < CALLERS_AT_ONCE:
        for line, name in LINES.items():
            yield Option(f"a caller calls {line} ({name})", partial(around.call, line))


def caller_hangs_up(around: Around) -> Iterator[Option]:
    for number in around.living():
        yield _steer(f"caller {number} hangs up", partial(around.hang_up, number))


def phone_answers(around: Around) -> Iterator[Option]:
    for person in around.site.people.values():
        if around.at(person, up=False):
            yield _steer(f"{person.login} answers at the phone", person.phone.answer)


def phone_declines(around: Around) -> Iterator[Option]:
    for person in around.site.people.values():
        if around.at(person, up=False):
            yield _steer(f"{person.login} declines at the phone", person.phone.decline)


def phone_hangs_up(around: Around) -> Iterator[Option]:
    for person in around.site.people.values():
        if around.at(person, up=True) and not around.at(person, up=False):
            yield _steer(f"{person.login} hangs up at the phone", person.phone.hang_up)


def phone_dials(around: Around) -> Iterator[Option]:
    for person in _idle(around):
        for number in (
            *(other.extension for other in around.site.people.values() if other is not person),
            f"9{OUTSIDE[0]}",
        ):
            yield Option(
                f"{person.login} dials {number} at the phone",
                partial(around.dial, person.extension, number),
            )


def phone_that_dialled_hangs_up(around: Around) -> Iterator[Option]:
    for sipp in around.dialled:
        if sipp.running:
            yield _steer("who dialled at the phone hangs up", sipp.hang_up)


def outside_answers(around: Around) -> Iterator[Option]:
    if around.outside(up=False):
        yield _steer("the number outside answers", lambda: around.site.outside.steer("answer"))


def outside_declines(around: Around) -> Iterator[Option]:
    if around.outside(up=False):
        yield _steer("the number outside is busy", lambda: around.site.outside.steer("decline"))


def outside_hangs_up(around: Around) -> Iterator[Option]:
    if around.outside(up=True) and not around.outside(up=False):
        yield _steer("the number outside hangs up", lambda: around.site.outside.steer("hangup"))


def _idle(around: Around) -> list[Person]:
    return [person for person in around.site.people.values() if not around.picture.at(person.seat)]


# --- at the desk: what the screen offers --------------------------------------------------------------------


def offered(verb: str, *standings: str) -> Callable[[Around], Iterator[Option]]:
    """A verb that needs nothing else, where the agent's screen offers it (and the agent stands so in the call)."""

    def options(around: Around) -> Iterator[Option]:
        for person, part in _can(around, verb):
            if not standings or part["standing"] in standings:
                yield _ask(around, person, part, verb, {}, f"{verb} while {part['standing']}")

    return options


def given(verb: str) -> Callable[[Around], Iterator[Option]]:
    """A verb with a target: a colleague, a queue, a number."""

    def options(around: Around) -> Iterator[Option]:
        for person, part in _can(around, verb):
            if verb == "conference" and part["standing"] not in ("talking", "hold", "conference"):
                continue
            for name, target in _targets(around, person):
                if verb == "conference" and target["kind"] == "queue":
                    continue
                yield _ask(
                    around, person, part, verb, {"target": target}, f"{verb} {name} while {part['standing']}"
                )

    return options


def merge(around: Around) -> Iterator[Option]:
    for person, part in _can(around, "conference"):
        if part["standing"] in ("consulting", "alternated"):
            yield _ask(
                around, person, part, "conference", {"target": None}, f"conference while {part['standing']}"
            )


def drop(around: Around) -> Iterator[Option]:
    for person, part in _can(around, "drop"):
        call = person.desktop.held.calls.get(part["call"])
        for one in (call or {"people": []})["people"]:
            if one["leg"] != part["leg"]:
                yield _ask(
                    around,
                    person,
                    part,
                    "drop",
                    {"leg": one["leg"]},
                    f"drop {one['role']} while {part['standing']}",
                )


def pick_up(state: str) -> Callable[[Around], Iterator[Option]]:
    def options(around: Around) -> Iterator[Option]:
        people = [one for one in _idle(around) if state != "queued" or one.login in ("bob", "chenjing")]
        for call in around.views(state):
            for person in people:
                path = f"/api/calls/{call['call']}/pick-up"
                what = f"{person.login} picks up {call['call']} ({state})"
                yield Option(what, partial(around.ask, person, path, {}, what))

    return options


def dial(around: Around) -> Iterator[Option]:
    for person in _idle(around):
        others = [other.extension for other in around.site.people.values() if other is not person]
        for number in (*others, *OUTSIDE):
            what = f"{person.login} dials {number} at the desk"
            body = {"to": number}
            yield Option(what, partial(around.ask, person, "/api/calls", body, what))


def state(wanted: str) -> Callable[[Around], Iterator[Option]]:
    from_states = ("not_ready",) if wanted == "ready" else ("ready", "talking")

    def options(around: Around) -> Iterator[Option]:
        for person in around.site.people.values():
            if person.desktop.held.state.get("name") in from_states:
                body = {"state": wanted, "reason": None if wanted == "ready" else "break"}
                what = f"{person.login} wants to be {wanted}"
                yield Option(
                    what,
                    partial(around.ask, person, "/api/me/state", body, what),
                )

    return options


def finish(around: Around) -> Iterator[Option]:
    for person in around.site.people.values():
        for call, parts in person.desktop.held.parts.items():
            if any(part["state"] == "wrap_up" for part in parts.values()):
                what = f"{person.login} finishes the wrap-up of {call}"
                yield Option(what, partial(finish_wrap_up, around, person, call, what))


async def finish_wrap_up(around: Around, person: Person, call: str, what: str) -> str:
    codes = (await person.desktop.api.get("/api/wrap-up-codes")).raise_for_status().json()
    code = next(code["code"] for code in codes if code.get("leaf", True))
    return await around.ask(person, f"/api/calls/{call}/wrap-up", {"note": None, "code": code}, what)


def _can(around: Around, verb: str) -> Iterator[tuple[Person, dict[str, Any]]]:
    for person in around.site.people.values():
        for parts in person.desktop.held.parts.values():
            for part in parts.values():
                if part["can"].get(verb, "") is None:
                    yield person, part


def _targets(around: Around, person: Person) -> Iterator[tuple[str, dict[str, Any]]]:
    for other in around.site.people.values():
        if other is not person:
            yield f"to {other.login}", {"kind": "agent", "id": other.id}
    for queue in QUEUES[:2]:
        yield f"to the queue {queue}", {"kind": "queue", "name": queue}
    yield "to a number outside", {"kind": "number", "number": OUTSIDE[1]}


def _ask(around: Around, person: Person, part: dict[str, Any], verb: str, body: Any, name: str) -> Option:
    path, what = f"/api/calls/{part['call']}/{verb}", f"{person.login}: {name} ({part['call']})"
    return Option(what, partial(around.ask, person, path, body, what, part["leg"]))


KINDS = (
    Kind("a call comes", 5, call_comes, desk=False),
    Kind("a caller hangs up", 1.5, caller_hangs_up, desk=False),
    Kind("answers", 12, phone_answers, desk=False),
    Kind("declines at the phone", 1, phone_declines, desk=False),
    Kind("hangs up at the phone", 1.5, phone_hangs_up, desk=False),
    Kind("dials at the phone", 0.6, phone_dials, desk=False),
    Kind("who dialled at the phone hangs up", 1, phone_that_dialled_hangs_up, desk=False),
    Kind("outside answers", 5, outside_answers, desk=False),
    Kind("outside is busy", 1, outside_declines, desk=False),
    Kind("outside hangs up", 1, outside_hangs_up, desk=False),
    Kind("rejects at the desk", 1, offered("hangup", "ringing")),
    Kind("hangs up at the desk", 1.5, offered("hangup", "talking", "hold", "conference", "calling", "consulted")),
    Kind("hangs up while it rings", 2, offered("hangup", "reaching")),
    Kind("hangs up while consulting", 1, offered("hangup", "consulting", "alternated")),
    Kind("holds", 2, offered("hold")),
    Kind("retrieves", 3, offered("retrieve")),
    Kind("mutes", 0.3, offered("mute")),
    Kind("unmutes", 1, offered("unmute")),
    Kind("transfers", 2, given("transfer")),
    Kind("consults", 4, given("consult")),
    Kind("cancels", 2, offered("cancel")),
    Kind("completes", 2.5, offered("complete", "consulting", "alternated")),
    Kind("completes while it rings", 2, offered("complete", "reaching")),
    Kind("alternates", 1.5, offered("alternate")),
    Kind("merges", 2, merge),
    Kind("adds to a conference", 1.2, given("conference")),
    Kind("drops", 1, drop),
    Kind("parks", 1.5, offered("park")),
    Kind("fetches a parked call", 3, pick_up("parked")),
    Kind("takes a ringing call", 1, pick_up("ringing")),
    Kind("picks out of the queue", 2, pick_up("queued")),
    Kind("dials at the desk", 1, dial),
    Kind("gets ready", 5, state("ready")),
    Kind("gets not ready", 0.4, state("not_ready")),
    Kind("finishes a wrap-up", 4, finish),
)
