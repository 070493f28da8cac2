"""The dialogue of `agi://…/identify`: it tells the dialplan who is calling, or that it does not know in time.

The caller is never harmed: whatever the database does, the dialogue sets CTI_STATUS and returns within its
deadline. A lookup that misses the deadline goes on, and its result still reaches the desktop. A question that the
PBX's manager does not bear out is answered with `unknown`, and changes nothing (`rules/question.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from cti_server.lookup.identify import Identified, Lookup
from cti_server.lookup.variables import variables
from cti_server.rules.question import Ruling
from cti_server.wire.agi import query_of

log = structlog.get_logger(__name__)

#: lookups at once; one more is answered `timeout` at once instead of waiting for a slow database
MAX_UNDER_WAY: Final = 200
GIVE_UP_AFTER: Final = 10.0  # seconds; by then the call has long been with an agent
GRACE: Final = 0.5  # of the deadline: for the manager to name a channel that the dialplan asks about first
MAX_LOGGED: Final = 100  # refusals of one rule that are logged; after them every hundredth is

OnIdentified = Callable[[str, str, Identified | None], Awaitable[None]]
"""Takes (pbx, uniqueid, who is calling, or None when the lookup failed). Runs after the caller's deadline too."""

Caller = tuple[str, str | None, str | None, str | None, str | None]
"""(pbx, ani, ani_name, dnis, secret); `secret` is the number of a caller who asked that it be shown to nobody"""


@dataclass(frozen=True, slots=True)
class Heard:
    """How a question is to be answered; `before` is the answer that is repeated."""

    ruling: Ruling
    before: Identified | None


Hear = Callable[[Caller, str, float], Awaitable[Heard]]
"""Takes a question, its channel's Uniqueid, and seconds to wait for the manager's word (`live/questions.py`)."""


async def believed(caller: Caller, uniqueid: str, grace_s: float) -> Heard:
    """Hold a question against nothing, where there is no PBX to ask."""
    return Heard(Ruling("ask", "believed"), None)


class AgiSession(Protocol):
    """One FastAGI session as this dialogue needs it: the environment that Asterisk sent, and the answer."""

    @property
    def env(self) -> Mapping[str, str]: ...

    async def finish(self, variables: Mapping[str, str]) -> object: ...


class IdentifyDialogue:
    """Answers each session that it is called with.

    Use it as an async context manager: lookups go on after their session, and leaving the context cancels them.
    """

    def __init__(
        self,
        lookup: Lookup,
        on_identified: OnIdentified,
        *,
        deadline_ms: int = 300,
        default_pbx: str = "main",
        observe: Callable[[str, float], None] = lambda status, seconds: None,
        hear: Hear = believed,
    ) -> None:
        """`observe` is called with the CTI_STATUS of each dialogue and its seconds, for the metrics."""
        self._hear = hear
        self.refused: Counter[str] = Counter()  # questions that were not answered, by rule
        self._lookup = lookup
        self._on_identified = on_identified
        self._deadline = deadline_ms / 1000
        self._default_pbx = default_pbx
        self._observe = observe
        self._under_way: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> IdentifyDialogue:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the lookups that are still under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def __call__(self, session: AgiSession) -> None:
        """Set the CTI_ variables of the session's channel. Raises nothing but CancelledError."""
        try:
            caller = caller_of(session.env, self._default_pbx)
            await session.finish(await self.answer(caller, session.env.get("agi_uniqueid", "")))
        except Exception as failed:
            # Most often the caller has hung up meanwhile, which needs no warning.
            log.debug("the dialplan could not be answered", error=repr(failed))

    async def answer(self, caller: Caller, uniqueid: str) -> dict[str, str]:
        """The variables to set, within the deadline. Raises nothing but CancelledError.

        CTI_STATUS is the last of them, so that the others are set when the dialplan sees it say `ok`.
        """
        began = time.monotonic()
        try:
            heard = await self._hear(caller, uniqueid, self._deadline * GRACE)
            if heard.ruling.answer == "refuse":
                return self._refuse(heard.ruling, caller[0], uniqueid, began)
            left = self._deadline - (time.monotonic() - began)
            found = heard.before or await self._within_deadline(caller, uniqueid, left, told=heard.ruling.told)
        except Exception as failed:
            log.warning("a lookup failed; the call goes on without", error=repr(failed))
            answer = {"CTI_STATUS": "error"}
        else:
            if found is None:
                log.warning("a lookup missed its deadline; the call goes on without", deadline_s=self._deadline)
            answer = {"CTI_STATUS": "timeout"} if found is None else variables(found)
        answer["CTI_STATUS"] = answer.pop("CTI_STATUS")
        self._observe(answer["CTI_STATUS"], time.monotonic() - began)
        return answer

    def _refuse(self, ruling: Ruling, pbx: str, uniqueid: str, began: float) -> dict[str, str]:
        """The answer to a question that is refused. The log names no number: it may be anybody's."""
        self.refused[ruling.code] += 1
        if self.refused[ruling.code] <= MAX_LOGGED or self.refused[ruling.code] % MAX_LOGGED == 0:
            log.warning(
                "identify.refused",
                rule=ruling.code,
                pbx=pbx[:40],
                channel=uniqueid[:80],
                so_far=self.refused[ruling.code],
                **ruling.evidence,
            )
        self._observe("refused", time.monotonic() - began)
        return {"CTI_STATUS": "unknown"}

    async def _within_deadline(
        self, caller: Caller, uniqueid: str, left: float, *, told: bool
    ) -> Identified | None:
        """Who is calling; None at the deadline or with too many lookups under way. Raises what the lookup does."""
        if len(self._under_way) >= MAX_UNDER_WAY:
            return None
        found: asyncio.Future[Identified] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._look_up(caller, uniqueid, found, told=told), name="identify")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        done, _ = await asyncio.wait({found}, timeout=max(0.0, left))
        return found.result() if done else None

    async def _look_up(
        self, caller: Caller, uniqueid: str, found: asyncio.Future[Identified], *, told: bool
    ) -> None:
        pbx, ani, name, dnis, secret = caller
        who: Identified | None = None
        try:
            async with asyncio.timeout(GIVE_UP_AFTER):
                who = await self._lookup.identify(pbx, ani, name, dnis, secret=secret)
            found.set_result(who)
        except Exception as failed:
            found.set_exception(failed)
            found.exception()  # marks it as retrieved: after the deadline nobody reads it
        finally:
            found.cancel()  # when this task is cancelled, the dialogue must not wait on; else it is done already
        if not told:
            return  # nobody bears it out: the floor asks by itself, once the manager has named the caller
        try:
            await self._on_identified(pbx, uniqueid, who)
        except Exception as failed:
            log.error("what a lookup found could not be delivered", error=repr(failed))


def caller_of(env: Mapping[str, str], default_pbx: str) -> Caller:
    """The caller in an AGI environment, in which Asterisk writes `unknown` for a value that it does not have.

    The request's query may give `pbx`, `dnis` and `secret`. A dialplan gives `dnis` when it has left the extension
    that was dialled, and `secret` for a caller whose number is not to be shown.
    """
    query = query_of(env)
    pbx = query.get("pbx") or default_pbx
    dnis = query.get("dnis") or _or_none(env.get("agi_dnid")) or _or_none(env.get("agi_extension"))
    secret = query.get("secret") or None
    return pbx, _or_none(env.get("agi_callerid")), _or_none(env.get("agi_calleridname")), dnis, secret


def _or_none(value: str | None) -> str | None:
    """The value, or None where Asterisk wrote its placeholder."""
    return value if value and value != "unknown" else None
