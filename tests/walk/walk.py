"""The walk: random actions, quiet moments in which both sides are compared, a clean start after a finding."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.live.center import until

from .actions import KINDS, Kind, Option, finish_wrap_up
from .around import Around, Request
from .findings import Difference, Finding, Log
from .fold import differences as desktop_differences
from .oracle import differences as floor_differences
from .picture import take
from .seen import Seen, look
from .site import Site

QUIET_S = 1.5
LOOKS, BETWEEN_S = 4, 0.5  # a difference counts when that many looks in a row show it
RESULT_S = 15.0
RESTART_EACH = 25  # steps, about
Print = Callable[[str], None]


@dataclass
class Walk:
    site: Site
    seed: int
    restarts: bool = False
    restart_each: int = RESTART_EACH
    known: tuple[str, ...] = ()
    """Kinds of findings, or parts of their names, that are counted and do not end the scene."""
    say: Print = print
    cleared: list[tuple[float, float]] = field(default_factory=list)
    """When everybody was hung up at once, in seconds of the wall clock."""
    around: Around = field(init=False)
    log: Log = field(init=False)

    def __post_init__(self) -> None:
        self.around, self.log = Around(self.site), Log(self.seed)

    async def walk(self, seconds: float) -> None:
        """Walks for so long, and ends with everybody gone."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await self.step()
        await self.clean()
        self.log.calls = len(self.around.numbers)

    # --- one step --------------------------------------------------------------------------------------

    async def step(self) -> None:
        around = self.around
        around.step += 1
        chance = random.Random(f"{self.seed}:{around.step}")
        if self.restarts and chance.random() < 1 / self.restart_each:
            await self.restart(chance)
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
            await self.act(chance)
            await asyncio.sleep(chance.choice((0, 0.05, 0.2, 0.5, 1.0)))
        if chance.random() < 0.65:
            await asyncio.sleep(QUIET_S)
            if not all(self._is_known(one) for one in await self.compare()):
                await self.clean()
        await around.let_go()

    async def act(self, chance: random.Random) -> None:
        self.around.picture = await take(self.site.asterisk)
        kinds = [kind for kind in KINDS if self.around.serving or not kind.desk]
        each = ((kind, list(kind.options(self.around))) for kind in kinds)
        possible: list[tuple[Kind, list[Option]]] = [(kind, options) for kind, options in each if options]
        if not possible:
            return
        kind, options = chance.choices(possible, [kind.weight for kind, _ in possible])[0]
        option = chance.choice(options)
        self.log.did(self.around.step, kind.name, option.what, await option.do())

    async def restart(self, chance: random.Random) -> None:
        """The server loses its power, and life goes on; then it is started again."""
        self.log.restarts += 1
        self.log.note(self.around.step, "kill -9 of the server")
        self.around.requests.clear()
        self.around.serving = False
        began = time.time()
        await self.site.center.stop(signal.SIGKILL)
        for _ in range(chance.choice((0, 0, 1, 2, 3))):
            await self.act(chance)
            await asyncio.sleep(chance.choice((0.1, 0.5, 1.5)))
        await self.site.center.start()
        for one in self.site.desktops.values():
            await until(one.connected.is_set, "a desktop to resume")
        self.around.serving = True
        self.site.downs.append((began, time.time()))
        self.log.note(self.around.step, "the server is back")

    # --- comparing -------------------------------------------------------------------------------------

    async def compare(self) -> list[Finding]:
        """What is found now; nothing while Asterisk does not come to rest."""
        self.log.comparisons += 1
        lasting: set[Difference] | None = None
        seen: Seen | None = None
        quiet = 0
        for _ in range(3 * LOOKS):
            now = await look(self.site, self.around.numbers)
            if now is not None:
                seen, quiet = now, quiet + 1
                found = set(floor_differences(now))
                lasting = found if lasting is None else lasting & found
                if not lasting or quiet >= LOOKS:
                    break
            else:
                lasting, quiet = None, 0
            await asyncio.sleep(BETWEEN_S)
        if seen is None or (lasting and quiet < LOOKS):
            self.log.unquiet += 1
            return []
        findings = [self._found(one.kind, one.text, seen) for one in sorted(lasting or ())]
        findings += await self._desktops(seen)
        findings += await self._requests(seen)
        findings += [self._found("the server failed", text, seen) for text in self.around.broken]
        self.around.broken.clear()
        return findings

    async def _desktops(self, seen: Seen) -> list[Finding]:
        """Each desktop against a fresh one of the same viewer."""
        lasting: dict[str, set[Difference]] = {}
        for look_number in range(LOOKS):
            for login, one in self.site.desktops.items():
                if look_number and login not in lasting:
                    continue
                now = set(desktop_differences(one.held.shown(), (await one.fresh()).shown()))
                lasting[login] = now if not look_number else lasting[login] & now
            lasting = {login: found for login, found in lasting.items() if found}
            if not lasting:
                return []
            await asyncio.sleep(BETWEEN_S)
        by_kind: dict[str, list[str]] = {}
        for login, found in lasting.items():
            for kind, text in sorted(found):
                by_kind.setdefault(kind, []).append(f"{login}: {text}")
        return [
            self.found(kind, texts[0], [*(f"  and       {text}" for text in texts[1:]), *seen.lines()])
            for kind, texts in by_kind.items()
        ]

    async def _requests(self, seen: Seen) -> list[Finding]:
        findings: list[Finding] = []
        open_requests: list[Request] = []
        for request in self.around.requests:
            done = self.site.people[request.person].desktop.held.results.get(request.number)
            if done is None and time.monotonic() - request.at > RESULT_S:
                findings.append(self._found("a command without a result", request.what, seen))
            elif done is None:
                open_requests.append(request)
            elif not done["ok"]:
                problem = done["problem"]
                self.log.note(request.step, f"{request.what}: {problem['code']}: {problem['detail']}")
                name = f"{request.verb} {problem['code']}"
                self.around.refused[name] = self.around.refused.get(name, 0) + 1
                if problem["code"] == "not_confirmed" and _was_done(request, seen):
                    kind = f"{request.verb} not confirmed, though done"
                    findings.append(self._found(kind, f"{request.what}: {problem['detail']}", seen))
        self.around.requests[:] = open_requests
        return findings

    def found(self, kind: str, text: str, sides: Iterable[str]) -> Finding:
        """Keeps a finding and says it."""
        made = self.log.found(self.around.step, kind, text, sides)
        if not self._is_known(made):
            for line in made.lines():
                self.say(line)
            self.say("")
        return made

    def _is_known(self, finding: Finding) -> bool:
        return any(kind in finding.kind for kind in self.known)

    def _found(self, kind: str, text: str, seen: Seen | None) -> Finding:
        return self.found(kind, text, tuple(seen.lines()) if seen is not None else ())

    @property
    def hung_up_at_desk(self) -> list[tuple[float, str]]:
        """When an agent hung up from the screen, and which channel."""
        return self.around.desk_hangups

    # --- a clean start ---------------------------------------------------------------------------------

    async def clean(self) -> None:
        """Everybody hangs up, nobody owes a wrap-up, everybody is ready. What stays on the floor is a finding."""
        self.log.clean_starts += 1
        self.log.note(self.around.step, "everybody hangs up")
        began = time.time()
        await self.around.everybody_hangs_up()

        async def nobody() -> bool:
            return not (await take(self.site.asterisk)).channels

        try:
            await until(nobody, "all channels to be gone", 10)
        except AssertionError:
            await self.around.everybody_hangs_up()
            await until(nobody, "all channels to be gone", 30)
        self.cleared.append((began, time.time()))
        if not await self._at_rest():
            await self.restart(random.Random(0))
            await self._at_rest()
        for one in self.site.desktops.values():
            await one.open_again()
        self.around.requests.clear()
        self.log.last.clear()
        self.log.note(self.around.step, "a clean start")

    async def _at_rest(self) -> bool:
        seen: Seen | None = None

        async def over() -> bool:
            nonlocal seen
            seen = await look(self.site, self.around.numbers)
            return seen is not None and all(call["state"] == "ended" for call in seen.calls.values())

        with contextlib.suppress(AssertionError):
            await until(over, "the floor to be empty", 8)
        left = [call for call in (seen.calls.values() if seen else ()) if call["state"] != "ended"]
        for call in left:
            self._found("a call stays though all hung up", f"{call['call']} {call['state']}", seen)
        for person in self.site.people.values():
            for call_id in list(person.desktop.held.parts):
                await finish_wrap_up(self.around, person, call_id, "")

        async def ready() -> bool:
            for person in self.site.people.values():
                if person.desktop.held.state["name"] == "not_ready":
                    await self.around.ask(person, "/api/me/state", {"state": "ready", "reason": None}, "")
            return all(person.desktop.held.state["name"] == "ready" for person in self.site.people.values())

        try:
            await until(ready, "everybody to be ready", 10)
        except AssertionError:
            for login, person in self.site.people.items():
                if person.desktop.held.state["name"] != "ready":
                    text = f"{login} stays {person.desktop.held.state}, parts {person.desktop.held.parts}"
                    self._found("an agent stays busy though all hung up", text, seen)
            return False
        return not left


def _was_done(request: Request, seen: Seen) -> bool:
    """Whether Asterisk shows that what was asked has happened, though the desk was told otherwise."""
    if request.leg is None:
        return False
    mine = seen.picture.channels.get(request.leg)
    out = mine is None or not mine.bridge  # beside half of a Local pair they ask somebody again
    match request.verb:
        case "hangup":
            return request.leg not in seen.picture.channels
        case "complete" | "transfer" | "park":
            linkedid = request.call.rpartition(":")[2]
            return out and any(one.linkedid == linkedid for one in seen.picture.channels.values())
        case "hold":
            return bool(seen.picture.heard(request.leg)) and not seen.picture.speaks_with(request.leg)
        case "retrieve":
            return bool(seen.picture.speaks_with(request.leg))
    return False
