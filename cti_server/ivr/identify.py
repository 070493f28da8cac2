"""The dialogue of `agi://…/identify`: tell the dialplan who is calling, in time or not at all.

The caller is never harmed: the dialogue sets CTI_STATUS and returns within the deadline, whatever the
database does. A lookup that comes late goes on, and its result still reaches the desktop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol
from urllib.parse import parse_qs

import structlog

from cti_server.lookup.identify import Identified, Lookup
from cti_server.lookup.variables import variables

log = structlog.get_logger(__name__)

MAX_UNDER_WAY: Final = (
    200  # lookups; one more is answered `timeout` at once instead of queueing behind a slow database
)
GIVE_UP_AFTER: Final = 10.0  # seconds; by then the call has long been with an agent

OnIdentified = Callable[[str, str, Identified | None], Awaitable[None]]
"""(pbx, uniqueid, who, or None when the lookup failed). Runs outside the caller's deadline."""

Caller = tuple[str, str | None, str | None, str | None]
"""(pbx, ani, ani_name, dnis)"""


class AgiSession(Protocol):
    """One FastAGI connection: the environment Asterisk sent, and one of the commands it understands."""

    @property
    def env(self) -> Mapping[str, str]: ...

    async def set_variable(self, name: str, value: str) -> object: ...


class IdentifyDialogue:
    """Call it with a session. Owns the lookups it began: use it as an async context manager."""

    def __init__(
        self,
        lookup: Lookup,
        on_identified: OnIdentified,
        *,
        deadline_ms: int = 300,
        default_pbx: str = "main",
        observe: Callable[[str, float], None] = lambda status, seconds: None,
    ) -> None:
        """`observe(status, seconds)` is told how each dialogue ended, for the metrics."""
        self._lookup = lookup
        self._on_identified = on_identified
        self._deadline = deadline_ms / 1000
        self._default_pbx = default_pbx
        self._observe = observe
        self._under_way: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> IdentifyDialogue:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the lookups that are still under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def __call__(self, session: AgiSession) -> None:
        """Set the CTI_ variables of the session's channel. Never raises, short of being cancelled."""
        try:
            caller = caller_of(session.env, self._default_pbx)
            answer = await self.answer(caller, session.env.get("agi_uniqueid", ""))
            for name, value in answer.items():
                await session.set_variable(name, value)
        except Exception as failed:
            # Also the ordinary case of a caller who hung up meanwhile: there is nobody to tell.
            log.debug("the dialplan could not be answered", error=repr(failed))

    async def answer(self, caller: Caller, uniqueid: str) -> dict[str, str]:
        """The variables to set within the deadline, CTI_STATUS last, so that the others are there when it
        says `ok`. Never raises, short of being cancelled.
        """
        began = time.monotonic()
        try:
            found = await self._within_deadline(caller, uniqueid)
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

    async def _within_deadline(self, caller: Caller, uniqueid: str) -> Identified | None:
        """None at the deadline, or when too many lookups are under way. Raises what the lookup raised."""
        if len(self._under_way) >= MAX_UNDER_WAY:
            return None
        found: asyncio.Future[Identified] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._look_up(caller, uniqueid, found), name="identify")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        done, _ = await asyncio.wait({found}, timeout=self._deadline)
        return found.result() if done else None

    async def _look_up(self, caller: Caller, uniqueid: str, found: asyncio.Future[Identified]) -> None:
        pbx, ani, name, dnis = caller
        who: Identified | None = None
        try:
            async with asyncio.timeout(GIVE_UP_AFTER):
                who = await self._lookup.identify(pbx, ani, name, dnis)
            found.set_result(who)
        except Exception as failed:
            found.set_exception(failed)
            found.exception()  # marked as seen: after the deadline nobody else will look
        finally:
            found.cancel()  # does nothing to one that is done; frees the dialogue when this task is cancelled
        try:
            await self._on_identified(pbx, uniqueid, who)
        except Exception as failed:
            log.error("what a lookup found could not be delivered", error=repr(failed))


def caller_of(env: Mapping[str, str], default_pbx: str) -> Caller:
    """The caller of an AGI environment. Asterisk writes `unknown` for what it does not know.

    The request's query may name `pbx` and `dnis`; the latter is for a dialplan that has left the dialled
    extension.
    """
    request = env.get("agi_request") or env.get("agi_network_script", "")
    query = parse_qs(request.partition("?")[2])
    pbx = query.get("pbx", [default_pbx])[0]
    dnis = query.get("dnis", [""])[0] or _known(env.get("agi_dnid")) or _known(env.get("agi_extension"))
    return pbx, _known(env.get("agi_callerid")), _known(env.get("agi_calleridname")), dnis


def _known(value: str | None) -> str | None:
    return value if value and value != "unknown" else None
