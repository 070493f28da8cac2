"""The demo's desk: who serves which queue, the center's phones, and wrap-up codes of single queues."""

from __future__ import annotations

from collections.abc import Mapping

from cti_server.demo.render import BROWSERS, DESKPHONES, PbxConfig
from cti_server.demo.seed_data import LOGINS
from cti_server.record.center import agent_queues, phone_secrets, phones, wrap_up_codes
from cti_server.record.center import queues as queue_table
from cti_server.record.center.phones import Phone
from cti_server.record.center.wrap_up_codes import WrapUpCode
from cti_server.record.engines import Connection
from cti_server.record.sealing import Sealer

# The reasons, and the codes for all queues, are those that a migration brings.
CODES = (
    ("technical", "Technical", "技术问题", "support"),
    ("technical/hardware", "Hardware", "硬件故障", "support"),
    ("technical/software", "Software", "软件问题", "support"),
    ("technical/network", "Network", "网络问题", "support"),
    ("technical/advice", "Advice on use", "使用咨询", "support"),
    ("sale", "Sale", "销售", "sales"),
    ("sale/quote", "Quote sent", "已报价", "sales"),
    ("sale/order", "Ordered", "已下单", "sales"),
    ("sale/lost", "Not interested", "无意向", "sales"),
    ("care", "Care call", "关怀回访", "vip"),
)


async def seed(conn: Connection, pbx: str, logins: Mapping[str, int], sealer: Sealer) -> None:
    """Add what is missing; what somebody has changed is left alone. `logins` maps each login to its agent."""
    await _phones(conn, pbx, logins, sealer)
    await _queues(conn, pbx, logins)
    known = await wrap_up_codes.all_codes(conn)
    if not any(code.queue for code in known):
        for position, (code, en, zh, queue) in enumerate(CODES, len(known)):
            made = WrapUpCode(code=code, title_en=en, title_zh=zh, queue=queue, position=position)
            await wrap_up_codes.save(conn, made)


async def _phones(conn: Connection, pbx: str, logins: Mapping[str, int], sealer: Sealer) -> None:
    """A desk phone for everybody, and a browser phone for each agent: 1101 is Alice's, as 1001 is her desk's."""
    existing = {phone.seat: phone for phone in await phones.all_phones(conn, pbx)}
    wanted = [
        Phone(pbx=pbx, seat=f"PJSIP/{ext}", extension=ext, label_en=f"Desk {ext[-1]}", label_zh=f"{ext[-1]} 号桌")
        for ext in DESKPHONES
    ]
    owners = [logins[person.login] for person in LOGINS if person.extension]
    for ext, owner in zip(BROWSERS, owners, strict=True):
        wanted.append(
            Phone(
                pbx=pbx,
                seat=f"PJSIP/{ext}",
                extension=ext,
                label_en=f"Browser {ext[-1]}",
                label_zh=f"浏览器电话 {ext[-1]}",
                kind="browser",
                sip_user=ext,
                agent_id=owner,
            )
        )
    for phone in wanted:
        made = existing.get(phone.seat, phone)
        # A demo that moved to another folder has another key; the demo PBX's password is known.
        if made.kind == "browser" and sealer.ready and phone_secrets.state_of(made, sealer) in ("none", "lost"):
            made = phone_secrets.with_password(made, PbxConfig.phone_password, sealer)
        if made is not existing.get(phone.seat):
            await phones.save(conn, made)


async def _queues(conn: Connection, pbx: str, logins: Mapping[str, int]) -> None:
    ids = {queue.name: queue.id for queue in await queue_table.all_queues(conn, pbx)}
    for person in LOGINS:
        agent = logins[person.login]
        if person.queues and not await agent_queues.queues_of(conn, agent):
            for name in person.queues.split():
                await agent_queues.assign(conn, agent, ids[name])
            await agent_queues.teach(conn, agent, dict(person.skills))
