"""The one place where the dial policy is asked, before the PBX is asked for anything.

It judges what the actions of a command would make the PBX dial, whatever verb made them, and what a person wrote
where only a decision is wanted.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from cti_server.attachment import Attachment
from cti_server.commands import Asking, CommandRefused, Ruling
from cti_server.floor.books import Books
from cti_server.record.center import dial_policies, lines
from cti_server.record.center.dial_policies import UNTOUCHED
from cti_server.record.database import Database
from cti_server.rules import dial_policy
from cti_server.rules.destinations import Destination, Site, destination, emergency_of
from cti_server.rules.dial_policy import Who
from cti_server.rules.facts import Reason
from cti_server.rules.masking import masked

from .outside import Outside
from .reaching import Unfenced
from .targets import dialable

READ_AGAIN_S: Final = 1.0  # how old a policy may be; another process's change counts after it
READ_S: Final = 1.0  # a record that answers later is not waited for: the policy that is known goes on

log = structlog.get_logger()


class Fence(Collector):
    """The policy of the record, and what it says of people and numbers. `now` is the wall clock, aware."""

    def __init__(
        self,
        database: Database,
        region: str,
        attachments: Mapping[str, Attachment],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database, self._region, self._attachments, self._now = database, region, attachments, now
        self._kept = UNTOUCHED
        self._own: frozenset[str] = frozenset()
        self._read_at = float("-inf")
        self._counts: Counter[tuple[str, str]] = Counter()
        self.outside = Outside()

    async def refresh(self) -> None:
        """Read the policy again where it was read longer ago than READ_AGAIN_S. A record that cannot be read
        leaves the policy that is known, at the start the default."""
        if time.monotonic() - self._read_at < READ_AGAIN_S:
            return
        try:
            async with asyncio.timeout(READ_S), self._database.read() as conn:
                if await dial_policies.version(conn) != self._kept.version:
                    self._kept = await dial_policies.current(conn)
                    log.info("dial_policy.read", version=self._kept.version, author=self._kept.author)
                self._own = frozenset(line.e164 for line in await lines.all_lines(conn) if line.e164 is not None)
        except Exception as cause:
            if not self._database.trouble.note(cause):
                log.warning("dial_policy.not_read", cause=f"{type(cause).__name__}: {cause}")
        self._read_at = time.monotonic()  # also after a failure: a record that hangs is asked once a second

    # --- deciding --------------------------------------------------------------------------------------

    def site(self, attachment: Attachment) -> Site:
        """What numbers mean at this PBX."""
        books = attachment.pipeline.books
        phones = {agent.extension for agent in books.agents.values() if agent.extension}
        phones |= {device.rpartition("/")[2] for device in books.seats}
        policy = self._kept.policy
        return Site(
            self._region,
            attachment.pbx.dial,
            frozenset(phone for phone in phones if phone.isdigit() and len(phone) <= 6),
            policy.internal,
            self._own,
            policy.emergency,
        )

    def rule(self, attachment: Attachment, asking: Asking, dialled: str) -> Ruling:
        """What the policy says of this person and of what the PBX is told to dial."""
        agent = attachment.pipeline.books.agents.get(asking.agent)
        who = Who(
            asking.login,
            asking.role,
            on_shift=agent is not None and agent.shift is not None,
            anywhere=asking.dial_anywhere,
        )
        to = destination(dialled, self.site(attachment))
        recent = self.outside.recent(asking.agent, self._floor)
        return Ruling(to, dial_policy.decide(self._kept.policy, who, to, self._now(), recent))

    def by_grant(self, attachment: Attachment, asking: Asking, rulings: Iterable[Ruling]) -> list[Ruling]:
        """Those that only the grant to dial anywhere lets through."""
        if not asking.dial_anywhere:
            return []
        without = replace(asking, dial_anywhere=False)
        return [one for one in rulings if not self.rule(attachment, without, one.to.number).decision.allowed]

    def written(self, attachment: Attachment, asking: Asking, number: str) -> Ruling:
        """The same for a number as a person writes it."""
        try:
            dialled = self.dialled(attachment, number)
        except CommandRefused as refused:
            return Ruling(Destination("unknown", number[:40]), dial_policy.not_a_number(refused.detail))
        return self.rule(attachment, asking, dialled)

    def dialled(self, attachment: Attachment, number: str) -> str:
        """What the PBX is told for a number as a person writes it. Raises CommandRefused `bad_target` for what is
        none."""
        urgent = emergency_of(number, self.site(attachment))
        return urgent or dialable(number, self._region, attachment.pbx.dial)

    # --- refusing --------------------------------------------------------------------------------------

    def check(self, attachment: Attachment, asking: Asking, verb: str, numbers: Iterable[str]) -> list[Ruling]:
        """What was decided of each number. Raises CommandRefused `dial_refused` for the first that is refused, and
        counts and logs it."""
        try:
            rulings = [self.rule(attachment, asking, number) for number in dict.fromkeys(numbers)]
        except Unfenced as unfenced:
            log.error("dial.unfenced", verb=verb, what=str(unfenced))
            raise CommandRefused(
                "dial_refused",
                f"the server does not know what {unfenced} dials, so it dials nothing",
                "This is a fault of the server: tell its makers.",
            ) from unfenced
        for ruling in rulings:
            if not ruling.decision.allowed:
                self.tell(asking, verb, ruling)
                raise refused(ruling)
        return rulings

    def tell(self, asking: Asking, verb: str, ruling: Ruling) -> None:
        """Count a decision by its rule, and log it without the number itself."""
        decision, to = ruling.decision, ruling.to
        answer = "allowed" if decision.allowed else "refused"
        self._counts[decision.rule, answer] += 1
        log.info(
            f"dial.{answer}",
            agent=asking.agent,
            verb=verb,
            number=masked(to.number),
            kind=to.kind,
            country=to.country,
            rule=decision.rule,
            code=decision.code,
            policy=self._kept.version,
        )

    def _floor(self, pbx: str) -> Books | None:
        attachment = self._attachments.get(pbx)
        return attachment.pipeline.books if attachment is not None else None

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily("cti_dials", "Numbers judged by the dial policy", labels=["rule", "answer"])
        for (rule, answer), count in self._counts.items():
            family.add_metric([rule, answer], count)
        yield family


# --- in words ------------------------------------------------------------------------------------------------

_WHY: Final = {
    "rule": "the dial policy's rule {rule} does not let you dial {what}",
    "no_rule": "no rule of the dial policy lets you dial {what}",
    "off_shift": "only people on shift dial outside, and you are not",
    "a_minute": "you have begun {limit} calls outside within a minute, which is the limit",
    "at_once": "you have {limit} calls outside, which is the limit",
}
_REMEDY: Final = {
    "rule": (
        "An administrator sees the rule with  cti-server dialling show  and changes it with"
        "  cti-server dialling set FILE"
    ),
    "no_rule": (
        "An administrator sees the rules with  cti-server dialling show  and adds one with"
        "  cti-server dialling set FILE"
    ),
    "off_shift": "Begin your shift first.",
    "a_minute": "Wait a moment.",
    "at_once": "End one of them first.",
}
_KIND: Final = {
    "internal": "extensions",
    "own": "the center's own numbers",
    "emergency": "emergency numbers",
    "premium": "premium numbers",
    "shared_cost": "shared-cost numbers",
    "satellite": "satellite numbers",
    "toll_free": "toll-free numbers",
    "national": "numbers of this country",
    "international": "numbers of other countries",
    "special": "short codes",
    "unknown": "numbers that no numbering plan lists",
}


def refused(ruling: Ruling) -> CommandRefused:
    """The refusal with its rule and its reason."""
    decision, to = ruling.decision, ruling.to
    where = f" ({to.country})" if to.country not in (None, "001") and to.kind != "emergency" else ""
    facts = {"rule": decision.rule, "what": f"{_KIND[to.kind]}{where}", "limit": decision.evidence.get("limit")}
    reason = Reason(decision.code, {"rule": decision.rule, **decision.evidence})
    return CommandRefused("dial_refused", _WHY[decision.code].format(**facts), _REMEDY[decision.code], reason)
