"""A real PBX with one thing wrong at a time: the doctor names it, and the line that mends it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.seed import seed
from cti_server.doctor import Finding, Status, examine
from cti_server.doctor.examine import examine_pbx
from cti_server.doctor.pbx.recorded import Recorded, read
from cti_server.record.center import agents, queues
from cti_server.record.database import Database
from cti_server.settings import Account, PbxSettings, Settings

pytestmark = pytest.mark.live

ASK = "GosubIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1)"


@pytest.fixture(scope="module")
def pbx() -> Iterator[DemoPbx]:
    """One PBX for these tests, of their own: they change its configuration."""
    try:
        with DemoPbx(free_config(readable=True)) as running:
            yield running
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)


@pytest.fixture
async def recorded(sqlite_url: str) -> AsyncIterator[SimpleNamespace]:
    """The demo's record: `now` as it is, and the database behind it."""
    async with Database(sqlite_url) as database:
        await seed(database, "demo", datetime.now(UTC))
        yield SimpleNamespace(url=sqlite_url, database=database, now=await read(sqlite_url))


def settings_of(pbx: DemoPbx, database_url: str = "sqlite:///none.db", **changes: Any) -> Settings:
    def account(user: str) -> Account:
        return Account(user=user, secret=SecretStr(pbx.config.secrets[user]))

    roles = {role: account(f"cti-{role}") for role in ("events", "agent", "call", "originate")}
    one = PbxSettings(**{"name": "demo", "port": pbx.config.ami_port, **roles, **changes.pop("link", {})})
    softphone = f"ws://127.0.0.1:{pbx.config.http_port}/ws"
    given = {"http_port": 0, "pbxs": (one,), "softphone_url": softphone, **changes}
    return Settings(_env_file=None, database_url=database_url, **given)


@contextmanager
def changed(pbx: DemoPbx, file: str, change: Callable[[str], str], reload: str) -> Iterator[None]:
    """A file of /etc/asterisk, changed for a while and taken in by Asterisk."""
    path: Path = pbx.work / "etc" / file
    before = path.read_text()
    try:
        path.write_text(change(before))
        pbx.cli(reload)
        yield
    finally:
        path.write_text(before)
        pbx.cli(reload)


def user(pbx: DemoPbx, name: str, *lines: str) -> Any:
    """More lines in a user's section of manager.conf; the last of a kind counts."""
    section = f"\n[{name}](+)\n" + "".join(f"{line}\n" for line in lines)
    return changed(pbx, "manager.conf", lambda text: text + section, "manager reload")


async def found(pbx: DemoPbx, recorded: Recorded | None = None, **changes: Any) -> dict[str, Finding]:
    settings = settings_of(pbx, **changes)
    [one] = settings.pbxs
    return {finding.code: finding for finding in await examine_pbx(settings, one, recorded)}


async def every(pbx: DemoPbx) -> list[Finding]:
    """All findings of a kind, where `found` has the last."""
    settings = settings_of(pbx)
    return await examine_pbx(settings, settings.pbxs[0])


def worst(findings: dict[str, Finding]) -> set[str]:
    return {code for code, finding in findings.items() if finding.status is Status.PROBLEM}


async def test_a_pbx_with_our_dialplans_has_no_problem(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    every = await examine(settings_of(pbx, recorded.url))
    codes = [finding.code for finding in every]
    assert [finding for finding in every if finding.status is Status.PROBLEM] == []
    assert {"database.ok", "ami.ok", "events.ok", "module.ok", "asterisk.version", "dialplan.calls"} <= set(codes)
    assert {"dialplan.address", "line.ok", "queue.ok", "agent.ok", "fastagi.allowed"} <= set(codes)
    assert codes.count("account.ok") == 4


async def test_over_tls_with_the_certificate_that_the_pbx_has(pbx: DemoPbx) -> None:
    tls = {"port": pbx.config.ami_tls_port, "tls": True}
    trusted = await found(pbx, link=tls | {"ca": pbx.ami_certificate})
    assert "over TLS" in trusted["ami.ok"].what
    assert set(await found(pbx, link=tls)) == {"ami.untrusted"}
    assert set(await found(pbx, link={"tls": True})) == {"ami.tls_here"}
    assert set(await found(pbx, link={"port": pbx.config.ami_tls_port})) == {"ami.plain_here"}


async def test_a_wrong_secret(pbx: DemoPbx) -> None:
    wrong = Account(user="cti-events", secret=SecretStr("wrong"))
    refused = (await found(pbx, link={"events": wrong}))["account.refused"]
    assert "cti-events: Authentication failed" in refused.what
    assert "In [cti-events] of manager_cti.conf:  secret = " in (refused.remedy or "")
    assert "permit = 127.0.0.1/255.255.255.255" in (refused.remedy or "")


async def test_secrets_that_were_never_set(pbx: DemoPbx) -> None:
    shipped = Account(user="cti-agent", secret=SecretStr("CHANGE-ME"))
    none = Account(user="cti-call", secret=SecretStr(""))
    findings = await found(pbx, link={"agent": shipped, "call": none, "originate": None})
    assert {"account.default_secret", "account.no_secret", "account.absent"} <= set(findings)
    assert "nobody can dial" in findings["account.absent"].what
    assert "account.absent" in await found(pbx, link={"agent": None})


async def test_the_optional_user_that_makes_desk_phones_answer(pbx: DemoPbx) -> None:
    assert "account.optional" in await found(pbx)
    with changed(
        pbx, "manager.conf", lambda text: f"{text}\n[cti-notify](cti-user)\nsecret = s\n", "manager reload"
    ):
        account = {"notify": Account(user="cti-notify", secret=SecretStr("s"))}
        assert "PJSIPNotify" in (await found(pbx, link=account))["account.missing"].what
        with user(pbx, "cti-notify", "write = system"):
            findings = await found(pbx, link=account)
    assert not {"account.optional", "account.missing", "account.dangerous"} & set(findings)


async def test_a_dialplan_without_the_desk(pbx: DemoPbx) -> None:
    reload = "dialplan reload"
    without = lambda text: text.replace("#tryinclude extensions_cti_desk.conf", "")  # noqa: E731
    with changed(pbx, "extensions_cti_demo.conf", without, reload):
        missing = (await found(pbx))["desk.contexts"]
    assert "cti-hold" in missing.what
    assert "#tryinclude extensions_cti_desk.conf" in (missing.remedy or "")
    own = lambda text: f"{text}\n[own]\nexten => 1,1,Queue(support,t)\n"  # noqa: E731
    with changed(pbx, "extensions.conf", own, reload):
        assert "[own]" in (await found(pbx))["desk.leg"].what
    assert "desk.ok" in await found(pbx)


async def test_other_keys_than_the_server_presses(pbx: DemoPbx) -> None:
    other = lambda text: text.replace("atxferswap = *5", "atxferswap = *4")  # noqa: E731
    with changed(pbx, "features_cti.conf", other, "module reload features"):
        assert "atxferswap of features.conf is *4; the server presses *5" in (await found(pbx))["desk.key"].what
    pbx.cli("module unload func_config.so")
    try:
        assert "desk.keys_unseen" in await found(pbx)
    finally:
        pbx.cli("module load func_config.so")


async def test_a_user_who_may_too_little(pbx: DemoPbx) -> None:
    with user(pbx, "cti-agent", "write = user"):
        findings = await found(pbx)
    missing = findings["account.missing"]
    assert missing.what.startswith("cti-agent lacks write=agent")
    assert "QueuePause" in missing.what
    assert (missing.remedy or "").startswith("write = agent   in [cti-agent] of manager_cti.conf")
    assert "write=user" in findings["account.more"].what


async def test_an_events_user_who_may_not_ask(pbx: DemoPbx) -> None:
    with user(pbx, "cti-events", "write = "):
        findings = await found(pbx)
    assert "write=reporting: it may not Status, CoreStatus" in findings["account.missing"].what
    assert "pbx.unseen" in findings


async def test_a_user_who_may_dangerously_much(pbx: DemoPbx) -> None:
    with user(pbx, "cti-call", "write = call,command,originate"):
        settings = settings_of(pbx)
        every = await examine_pbx(settings, settings.pbxs[0])
    said = [finding.what for finding in every if finding.code == "account.dangerous"]
    assert said == [
        "cti-call has write=command, which runs any command of Asterisk's CLI, and so any program",
        "cti-call has write=originate, which can listen to any call",
    ]


@pytest.mark.parametrize(
    ("read", "code", "said"),
    [
        ("call,agent,user", "events.unread", "read=system: the link never becomes live"),
        ("system,call,user", "events.unread", "read=agent: no queue is seen"),
        ("all", "events.flood", "read=all"),
    ],
)
async def test_an_events_user_who_reads_too_little_or_too_much(
    pbx: DemoPbx, read: str, code: str, said: str
) -> None:
    with user(pbx, "cti-events", f"read = {read}"):
        findings = await found(pbx)
    assert said in findings[code].what
    assert (findings[code].remedy or "").startswith("read = system,call,agent,user   in [cti-events]")
    assert "events.not_booted" not in findings


async def test_a_write_timeout_that_cuts_off(pbx: DemoPbx) -> None:
    with user(pbx, "cti-events", "writetimeout = 100"):
        assert "100 ms" in (await found(pbx))["events.writetimeout"].what


async def test_events_without_their_time(pbx: DemoPbx) -> None:
    def off(text: str) -> str:
        return text.replace("timestampevents = yes", "timestampevents = no")

    with changed(pbx, "manager.conf", off, "manager reload"):
        remedy = (await found(pbx))["events.timestamps"].remedy or ""
    assert remedy.startswith("timestampevents = yes   in [general] of manager.conf")


async def test_what_a_secret_reads_is_said_and_what_would_break_is_not_advised(pbx: DemoPbx) -> None:
    modules = ("func_config.so", "func_curl.so", "func_sorcery.so")
    told = [f for f in await every(pbx) if f.code == "secrets.read"]
    assert [re.findall(r"noload = (\S+)", f.remedy or "") for f in told] == [[module] for module in modules]
    assert "cti-events, cti-call" in told[0].what
    use = "\n[own]\nexten => 100,1,Set(X=${CURL(http://127.0.0.1/)})\n"
    with changed(pbx, "extensions.conf", lambda text: text + use, "dialplan reload"):
        used = [f for f in await every(pbx) if f.code == "secrets.used"]
        assert [("CURL()" in f.what, "100@own" in f.what) for f in used] == [(True, True)]
        assert "unload" not in (used[0].remedy or "")
    for finding in told:
        pbx.cli(re.findall(r'asterisk -rx "([^"]+)"', finding.remedy or "")[0])
    try:
        assert "secrets.ok" in await found(pbx)
    finally:
        for module in modules:
            pbx.cli(f"module load {module}")


async def test_without_func_config_what_may_be_read_is_said_to_be_unseen(pbx: DemoPbx) -> None:
    pbx.cli("module unload func_config.so")
    try:
        findings = await found(pbx)
    finally:
        pbx.cli("module load func_config.so")
    assert 'asterisk -rx "manager show user cti-events"' in (findings["events.unseen"].remedy or "")
    assert "events.timestamps_unseen" in findings


async def test_modules_that_are_missing(pbx: DemoPbx) -> None:
    pbx.cli("module unload app_userevent.so")
    try:
        wanted = (await found(pbx))["module.wanted"]
        pbx.cli("module unload func_module.so")
        unseen = (await found(pbx))["module.unseen"]
    finally:
        pbx.cli("module load app_userevent.so")
        pbx.cli("module load func_module.so")
    assert wanted.what.startswith("app_userevent.so is not loaded")
    assert (wanted.remedy or "").startswith("load = app_userevent.so   in modules.conf")
    assert "app_userevent.so" in unseen.what


async def test_no_queues_module(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    pbx.cli("module unload app_queue.so")
    try:
        findings = await found(pbx, recorded.now)
    finally:
        pbx.cli("module load app_queue.so")
    assert "QueueAdd, QueueRemove, QueuePause" in findings["account.no_action"].what
    assert findings["module.missing"].what.startswith("app_queue.so is not loaded")


async def test_a_dialplan_that_asks_somebody_else(pbx: DemoPbx) -> None:
    port = (await found(pbx, fastagi_port=4999))["dialplan.port"]
    assert (port.remedy or "").startswith("Set(CTI_FASTAGI=127.0.0.1:4999)   in cti_site.conf")

    def elsewhere(text: str) -> str:
        return text.replace("CTI_FASTAGI=127.0.0.1", "CTI_FASTAGI=192.0.2.7")

    with changed(pbx, "cti_site.conf", elsewhere, "dialplan reload"):
        assert "asks 192.0.2.7:4573" in (await found(pbx))["dialplan.host"].what


async def test_a_dialplan_that_does_not_ask(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    with changed(
        pbx,
        "extensions_cti_demo.conf",
        lambda text: re.sub(r"Gosub(If)?\(.*cti-identify,s,1\)", "NoOp()", text),
        "dialplan reload",
    ):
        findings = await found(pbx, recorded.now)
    assert f"same => n,{ASK}" in (findings["dialplan.uncalled"].remedy or "")
    assert "reaches Queue(" in findings["line.unasked"].what

    with changed(pbx, "extensions.conf", lambda text: "[nothing]\n", "dialplan reload"):
        findings = await found(pbx, recorded.now)
    assert "#tryinclude extensions_cti.conf" in (findings["dialplan.absent"].remedy or "")
    assert "line.absent" in findings


async def test_the_dialplan_of_one_of_several_pbxs_says_which_it_is(pbx: DemoPbx) -> None:
    given = settings_of(pbx).pbxs[0]
    settings = settings_of(pbx, pbxs=(given.model_copy(update={"name": "north"}), PbxSettings(name="south")))
    codes = {finding.code: finding for finding in await examine_pbx(settings, settings.pbxs[0])}
    assert codes["site.pbx"].what.startswith("CTI_PBX is demo; the settings know north, south")
    assert (codes["site.pbx"].remedy or "").startswith("Set(CTI_PBX=north)")


async def test_a_record_that_does_not_fit_the_pbx(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    async with recorded.database.begin() as conn:
        await agents.add(conn, login="ghost", name="Ghost", seat="PJSIP/9999", pbx="demo")
        await agents.add(conn, login="browser", name="Browser", seat="PJSIP/1101", pbx="demo")
        await agents.add(conn, login="standing", name="Standing")
        await agents.add(conn, login="far", name="Far", seat="PJSIP/1001", pbx="other")
        await queues.save(conn, queues.Queue(0, "demo", "gone", "Gone", "没有"))
    everything = await read(recorded.url)
    known = Recorded(everything.agents, [q for q in everything.queues if q.name != "vip"], everything.lines)
    findings = await found(pbx, known)
    assert "PJSIP/9999, the phone of agent ghost" in findings["agent.unknown_seat"].what
    assert (findings["agent.no_queue"].remedy or "").startswith("member = PJSIP/1101,0,Browser,PJSIP/1101")
    assert "agent standing" in findings["agent.no_seat"].what
    assert "PBX other" in findings["agent.other_pbx"].what
    assert (findings["queue.gone"].remedy or "").startswith("[gone]   in queues.conf")
    assert "cti-server queue add vip --pbx demo" in (findings["queue.unrecorded"].remedy or "")


async def test_members_as_freepbx_writes_them(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    """FreePBX names the phone by a hint, which is followed; one that leads nowhere is named."""
    hint = "\n[night](+)\nmember = Local/1101@from-queue/n,0,Li Wei,hint:1101@cti-phones\n"
    async with recorded.database.begin() as conn:
        await agents.add(conn, login="browser", name="Browser", seat="PJSIP/1101", pbx="demo")
    everyone = await read(recorded.url)
    with changed(pbx, "queues.conf", lambda text: text + hint, "queue reload all"):
        findings = await found(pbx, everyone)
    assert not {"queue.hint", "queue.local", "agent.no_queue"} & set(findings)
    astray = hint.replace("1101@cti-phones", "1101@nowhere")
    with changed(pbx, "queues.conf", lambda text: text + astray, "queue reload all"):
        findings = await found(pbx, everyone)
    assert "hint:1101@nowhere, which leads to no phone" in findings["queue.hint"].what


async def test_freepbx_as_the_installation_guide_has_it(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    """Our lines in the _custom files only, TLS among them; a destination that returns to the queue."""
    secrets = "".join(f"[{name}](+)\nsecret = {secret}\n" for name, secret in pbx.config.secrets.items())
    inside = (pbx.work / "etc" / "manager.conf").read_text().partition("tlscertfile = ")[2].partition("/keys/")[0]
    general = f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {pbx.config.ami_port}\n"
    tls = f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{pbx.config.ami_tls_port}\n"
    tls += f"tlscertfile = {inside}/keys/ami.crt\ntlsprivatekey = {inside}/keys/ami.key\n"
    custom = f"#include manager_cti.conf\n{secrets}[general](+)\ntimestampevents = yes\n{tls}"
    (pbx.work / "etc" / "manager_custom.conf").write_text(custom)
    dialplan = """#tryinclude extensions_cti.conf

[cti-freepbx]
exten => s,1,GosubIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1)
 same => n,ExecIf($["${CTI_PRIORITY}" != ""]?Set(QUEUE_PRIO=${CTI_PRIORITY}))
 same => n,Return()
[customdests]
exten => dest-1,1,NoOp()
 same => n,Gosub(cti-freepbx,s,1())
 same => n,Goto(ext-queues,600,1)
[ext-queues]
exten => 600,1,Queue(support,t,,,)
[ext-did-0002]
exten => 4008001000,1,Goto(customdests,dest-1,1)
exten => 4008002000,1,Goto(ext-queues,600,1)
[from-internal]
exten => _10XX,1,Dial(PJSIP/${EXTEN})
"""
    site = (pbx.work / "etc" / "cti_site.conf").read_text()
    for name, value in {"CTI_VIA": "from-internal", "CTI_PHONES": "from-internal", "CTI_NOBODY": ""}.items():
        site = re.sub(rf"Set\({name}=.*\)", f"Set({name}={value})", site)
    with (
        changed(pbx, "manager.conf", lambda _: f"{general}#include manager_custom.conf\n", "manager reload"),
        changed(pbx, "cti_site.conf", lambda _: site, "dialplan reload"),
        changed(pbx, "extensions.conf", lambda _: dialplan, "dialplan reload"),
    ):
        findings = await found(
            pbx,
            recorded.now,
            link={"port": pbx.config.ami_tls_port, "tls": True, "ca": pbx.ami_certificate},
        )
    assert worst(findings) == set()
    assert "over TLS" in findings["ami.ok"].what
    assert {"events.ok", "dialplan.calls"} <= set(findings)
    assert "events.timestamps" not in findings
    assert findings["line.ok"].what.startswith("4008001000 ask")
    unasked = findings["line.unasked_freepbx"]
    assert unasked.what.startswith("4008002000 reaches Queue(support)")
    assert "Custom Destinations" in (unasked.remedy or ""), "its own files are its to write"


async def test_a_line_that_nothing_takes_is_not_looked_for_in_our_own_contexts(
    pbx: DemoPbx, recorded: SimpleNamespace
) -> None:
    """They have patterns for any number, to which only the server sends calls."""
    dialplan = "#tryinclude extensions_cti.conf\n#tryinclude extensions_cti_desk.conf\n"
    with changed(pbx, "extensions.conf", lambda _: dialplan, "dialplan reload"):
        findings = await found(pbx, recorded.now)
    assert "line.absent" in findings
    assert not {"line.rings", "line.unasked", "line.lost"} & set(findings)


async def test_a_dialplan_that_asks_by_the_script(pbx: DemoPbx) -> None:
    def empty(text: str) -> str:
        return text.replace("CTI_FASTAGI=127.0.0.1:4573", "CTI_FASTAGI=")

    with changed(pbx, "cti_site.conf", empty, "dialplan reload"):
        assert "dialplan.script" in await found(pbx)


async def test_a_pbx_that_has_gone(pbx: DemoPbx) -> None:
    settings = settings_of(pbx, link={"port": pbx.config.trunk_port})
    findings = await examine_pbx(settings, settings.pbxs[0])
    assert [finding.code for finding in findings] == ["ami.refused"]
