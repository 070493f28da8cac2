"""The manager users, one per role: what each may do, what it lacks, and what it should not have.

What a user may *do* comes from ListCommands, which every user may ask: it lists each permitted action with the
permissions that allow it, of which one is enough. Asterisk does not say what a user may *read*; that comes from
manager.conf, where func_config can be asked, and from FullyBooted, which is sent only with read=system.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping

from cti_server.asterisk.actions import Ping, Role
from cti_server.asterisk.session import ActionFailed, Session
from cti_server.doctor.environment import line, loopback, secret_variable
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import ANSWER_S, DENIED, Bare, ListCommands, setting
from cti_server.doctor.manager.reach import DEFAULT_SECRET, FILE, Patient, sign_in
from cti_server.settings import Account
from cti_server.wire.ami import Message

#: role → write permission, and the actions that need it, each with the module that provides it
ROLES: Mapping[Role, tuple[str, Mapping[str, str]]] = {
    Role.EVENTS: ("reporting", {"Status": "", "CoreStatus": "", "QueueStatus": "app_queue.so"}),
    Role.AGENT: (
        "agent",
        dict.fromkeys(("QueueAdd", "QueueRemove", "QueuePause", "QueuePenalty"), "app_queue.so"),
    ),
    Role.CALL: (
        "call",
        dict.fromkeys(("Hangup", "Redirect", "Atxfer", "CancelAtxfer", "BlindTransfer", "Setvar"), "")
        | {"PlayDTMF": "app_senddtmf.so"}
        | dict.fromkeys(("MixMonitorMute", "StopMixMonitor"), "app_mixmonitor.so"),
    ),
    Role.ORIGINATE: ("originate", {"Originate": ""}),
    Role.NOTIFY: ("system", {"PJSIPNotify": "res_pjsip_notify.so"}),
}
DANGERS = {
    "command": "runs any command of Asterisk's CLI, and so any program",
    "config": "rewrites every file in /etc/asterisk",
    "system": "loads modules, stops Asterisk, and starts recordings that run a program",
    "agi": "runs programs on the PBX",
    "originate": "can listen to any call",
}
#: permission → an action of Asterisk's core that exists everywhere and needs exactly it: not listed = not granted
WITNESSES = {
    "system": "ModuleLoad",
    "command": "Command",
    "config": "GetConfig",
    "originate": "Originate",
    "call": "Redirect",
    "user": "UserEvent",
}
READ = ("system", "call", "agent", "user")
READ_LOSS = {
    "system": "the link never becomes live, because FullyBooted does not come",
    "call": "no call is seen",
    "agent": "no queue is seen, so no card pops",
    "user": "steps of the IVR are not seen",
}
LOSS = {
    Role.AGENT: "agents cannot sign in to queues, nor be set ready or not ready",
    Role.CALL: "no call can be held, transferred or hung up from the screen",
    Role.ORIGINATE: "nobody can dial or fetch a call from the screen",
}
CANDIDATES = (FILE, "manager_custom.conf", "manager_additional.conf", "manager.conf")
PRIVILEGE = re.compile(r"\(Priv: ([^)]*)\)\s*$")


def privileges(listing: Mapping[str, str]) -> frozenset[str]:
    """The write permissions that a ListCommands answer, `{action: "synopsis (Priv: call,all)"}`, proves.

    An action that only one permission allows proves that permission. If several allow it, those that WITNESSES
    disproves are left out; when a single one remains, it is proven, too.
    """
    priv = [found[1] for text in listing.values() if (found := PRIVILEGE.search(text)) is not None]
    allowed_by = [frozenset(permissions.split(",")) - {"all", "<none>"} for permissions in priv]
    disproven = {permission for permission, action in WITNESSES.items() if action not in listing}
    proven: frozenset[str] = frozenset()
    return proven.union(*(left for some in allowed_by if len(left := some - disproven) == 1))


# --- one role after the other -----------------------------------------------------------------------------


async def examine(patient: Patient) -> tuple[list[Finding], Session | None]:
    """Findings, and the session of the events user for further questions; None when it could not sign in. The
    caller must close the session."""
    heard: list[Message] = []
    findings = list(_secrets(patient))
    opened = await sign_in(patient, Role.EVENTS, patient.pbx.events, heard.append)
    if isinstance(opened, Finding):
        findings.append(opened)
    else:
        tls = " over TLS" if patient.tls is not None else ""
        facts = {"host": patient.pbx.host, "port": patient.pbx.port, "version": patient.version, "tls": tls}
        findings.insert(0, say(patient.check("manager"), "ami.ok", user=patient.pbx.events.user, **facts))
        findings.extend(await _may_do(patient, Role.EVENTS, patient.pbx.events, opened, opened))
        findings.extend(await _may_read(patient, patient.pbx.events, opened, heard))
    reader = opened if isinstance(opened, Session) else None
    for role in (Role.AGENT, Role.CALL, Role.ORIGINATE, Role.NOTIFY):
        findings.extend(await _role(patient, role, reader))
    return findings, reader


def _secrets(patient: Patient) -> Iterator[Finding]:
    check = patient.check("manager")
    users: dict[str, list[str]] = {}
    for role in Role:
        account: Account | None = getattr(patient.pbx, role.value)
        if account is None:
            continue
        users.setdefault(account.user, []).append(role.value)
        if account.secret.get_secret_value() == DEFAULT_SECRET:
            name = secret_variable(patient.settings, patient.pbx, role)
            fresh = secrets.token_hex(16)
            yield say(check, "account.default_secret", user=account.user, fresh=fresh, file=FILE, variable=name)
    for user, roles in users.items():
        if len(roles) > 1:
            yield say(check, "account.shared", user=user, roles=", ".join(roles))
    if patient.tls is None and not loopback(patient.peer) and patient.peer != patient.local:
        tls_on = line(patient.settings, patient.pbx, "tls", "true")
        yield say(check, "ami.plain_far", address=patient.peer, tls_on=tls_on)


async def _role(patient: Patient, role: Role, reader: Session | None) -> list[Finding]:
    account: Account | None = getattr(patient.pbx, role.value)
    check = patient.check("permissions")
    if account is None:
        if role is Role.NOTIFY:
            return [say(check, "account.optional", role=role)]
        setting_line = line(patient.settings, patient.pbx, f"{role.value}_secret", "…")
        facts = {"role": role, "loss": LOSS[role], "user": f"cti-{role}"}
        return [say(check, "account.absent", line=setting_line, file=FILE, **facts)]
    opened = await sign_in(patient, role, account)
    if isinstance(opened, Finding):
        return [opened]
    try:
        return await _may_do(patient, role, account, opened, reader)
    finally:
        opened.close()


async def _may_do(
    patient: Patient, role: Role, account: Account, session: Session, reader: Session | None
) -> list[Finding]:
    check = patient.check("permissions")
    listing = (await session.ask(ListCommands(), ANSWER_S)).response.headers
    permission, actions = ROLES[role]
    facts: dict[str, object] = {"user": account.user, "line": permission, "permission": permission}
    facts["file"] = await _file_of(account.user, reader) if reader is not None else FILE
    denied: list[str] = []
    unknown: list[str] = []
    for action in (action for action in actions if action not in listing):
        (denied if await _is_denied(session, action) else unknown).append(action)
    findings = []
    if denied:
        findings.append(say(check, "account.missing", actions=", ".join(denied), **facts))
    if unknown:
        module = next((actions[a] for a in unknown if actions[a]), "its module")
        findings.append(say(check, "account.no_action", actions=", ".join(unknown), module=module, **facts))
    granted = privileges(listing) - {permission}
    for danger in sorted(granted & DANGERS.keys()):
        facts["permission"] = danger
        findings.append(say(check, "account.dangerous", why=DANGERS[danger], **facts))
    if more := sorted(granted - DANGERS.keys()):
        findings.append(say(check, "account.more", permissions=",".join(more), **facts))
    return findings or [say(check, "account.ok", user=account.user, needs=f"write={permission}")]


async def _is_denied(session: Session, action: str) -> bool:
    """Whether Asterisk knows this action, which ListCommands did not list, but denies it. Nothing is done either
    way."""
    try:
        await session.ask(Bare(action), ANSWER_S)
    except ActionFailed as answer:
        return DENIED in str(answer)
    return False


async def _file_of(user: str, reader: Session) -> str:
    """The file that defines the user; manager_cti.conf when that cannot be seen."""
    for file in CANDIDATES:
        if await setting(reader, file, user, ["write"]):
            return file
    return FILE


# --- what the events user reads ---------------------------------------------------------------------------


async def _may_read(patient: Patient, account: Account, session: Session, heard: list[Message]) -> list[Finding]:
    check, user = patient.check("permissions"), account.user
    await session.ask(Ping(), ANSWER_S)  # FullyBooted is written right after the login, so before this answer
    booted = any(message.event == "FullyBooted" for message in heard)
    facts: dict[str, object] = {"user": user, "file": await _file_of(user, session), "line": ",".join(READ)}
    written = await setting(session, "manager.conf", user, ["read", "write", "writetimeout", "eventfilter"])
    seen = "read" in written or "write" in written  # the section can be read: what it does not name is not granted
    read = {part.strip() for part in written.get("read", "").split(",") if part.strip()}
    findings = []
    if "all" in read:
        read |= set(READ)
    missing = [permission for permission in READ if permission not in read] if seen else []
    if missing:
        loss = "; ".join(READ_LOSS[permission] for permission in missing)
        findings.append(say(check, "events.unread", permissions=",".join(missing), loss=loss, **facts))
    if not booted and "system" not in missing:
        findings.append(say(check, "events.not_booted", **facts))
    if not seen:
        findings.append(say(check, "events.unseen", **facts))
    elif more := sorted(read - set(READ)):
        findings.append(say(check, "events.flood", permissions=",".join(more), **facts))
    elif not missing:
        findings.append(say(check, "events.ok", user=user, permissions=",".join(p for p in READ if p in read)))
    if "eventfilter" in written:
        findings.append(say(check, "events.filtered", filter=written["eventfilter"], **facts))
    findings.extend(_write_timeout(check, written, seen, facts))
    findings.extend(await _general(check, session, heard))
    return findings


def _write_timeout(
    check: str, written: Mapping[str, str], seen: bool, facts: Mapping[str, object]
) -> Iterator[Finding]:
    now = written.get("writetimeout", "100")  # Asterisk's default
    if seen and now.isdecimal() and int(now) < 1000:
        yield say(check, "events.writetimeout", now=now, **facts)


async def _general(check: str, session: Session, heard: list[Message]) -> list[Finding]:
    """Findings on [general] of manager.conf, which concerns all events."""
    findings = []
    # Wherever the doctor could sign in, `enabled` is set: if it is missing here, the file could not be read.
    general = await setting(session, "manager.conf", "general", ["enabled", "timestampevents"])
    stamped = [m for m in heard if m.event not in (None, "FullyBooted")]
    if general:
        if general.get("timestampevents", "no").lower() not in ("yes", "true", "on", "1", "y", "t"):
            findings.append(say(check, "events.timestamps"))
    elif not stamped:
        findings.append(say(check, "events.timestamps_unseen"))
    elif stamped[-1].get("Timestamp") is None:
        findings.append(say(check, "events.timestamps"))
    return findings
