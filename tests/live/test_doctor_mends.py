"""What an administrator gets wrong, broken on a real Asterisk one at a time: the doctor names it, and the line
that it names, put where it says, mends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.calls import Deskphone
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.render import dialplans_folder
from cti_server.doctor import Finding
from cti_server.doctor.examine import examine_pbx
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.record.center.agents import Agent
from cti_server.record.center.phones import Phone
from cti_server.record.center.queues import Queue
from cti_server.rules.facts import Line
from tests.live.center import until
from tests.live.test_doctor import changed, found, settings_of

pytestmark = pytest.mark.live

LINE = "4008001000"
AGENTS = [
    Agent(id=number, login=f"a{number}", name=f"Agent {number}", role="agent", seat=f"PJSIP/{number}", pbx="demo")
    for number in (1001, 1002, 1103)
]
QUEUES = [Queue(0, "demo", name, name, name) for name in ("support", "sales", "vip", "freepbx", "night")]
RECORD = Recorded(AGENTS, QUEUES, [Line(id=1, raw=LINE, e164=None, region="CN")])


@pytest.fixture(scope="module")
def pbx() -> Iterator[DemoPbx]:
    """One PBX for these tests, of their own: they change its configuration. Its dialplan is an
    administrator's: a line, a queue, and ours by #include."""
    try:
        with DemoPbx(free_config(readable=True)) as running:
            dialplan(running, f"exten => {LINE},1,GosubIf({ASKS})\n same => n,Queue(support,t)")
            yield running
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)


ASKS = "$[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1"
OURS = "#tryinclude extensions_cti.conf\n#tryinclude extensions_cti_desk.conf\n"
REST = "[cti-phones]\nexten => _1XXX,1,Dial(PJSIP/${EXTEN})\n[cti-nobody]\nexten => s,1,Hangup()\n"


def dialplan(pbx: DemoPbx, line: str, ours: str = OURS) -> None:
    (pbx.work / "etc" / "extensions.conf").write_text(f"{ours}{REST}[from-trunk-cti]\n{line}\n")
    pbx.cli("dialplan reload")


@contextmanager
def line_is(pbx: DemoPbx, line: str, ours: str = OURS) -> Iterator[Path]:
    """The administrator's line, for a while. Gives the file, in which to mend it."""
    with changed(pbx, "extensions.conf", lambda _: f"{ours}{REST}[from-trunk-cti]\n{line}\n", "dialplan reload"):
        yield pbx.work / "etc" / "extensions.conf"


def named(finding: Finding) -> str:
    """The line that mends it: what stands before the place where it belongs."""
    return (finding.remedy or "").splitlines()[0].split("   ")[0]


def command(finding: Finding, starts: str) -> str:
    """The command for Asterisk's CLI that the remedy names."""
    return next(c for c in re.findall(r'asterisk -rx "([^"]+)"', finding.remedy or "") if c.startswith(starts))


async def codes(pbx: DemoPbx, record: Recorded = RECORD) -> dict[str, Finding]:
    return await found(pbx, record)


def mend(pbx: DemoPbx, file: Path, change: Callable[[str], str], reload: str = "dialplan reload") -> None:
    before = file.read_text()
    file.write_text(change(before))
    assert file.read_text() != before
    pbx.cli(reload)


# --- what is called ---------------------------------------------------------------------------------------


async def test_the_administrators_dialplan_is_in_order(pbx: DemoPbx) -> None:
    findings = await codes(pbx)
    assert {"dialplan.calls", "line.ok", "site.ok", "room.ok", "desk.leg"} <= set(findings)
    assert not {code for code in findings if code.startswith(("called.", "desk.key", "dialplan.un"))}


async def test_an_include_that_is_missing(pbx: DemoPbx) -> None:
    """The call would be cut off: Asterisk has no place to return from."""
    with line_is(pbx, f"exten => {LINE},1,Gosub(cti-identify,s,1)\n same => n,Queue(support,t)", ours="") as file:
        findings = await codes(pbx)
        assert "cuts the caller off" in findings["called.missing"].what
        assert "dialplan.calls" not in findings
        assert findings["line.broken"].what.startswith(f"{LINE} comes to [from-trunk-cti]")
        include = named(findings["called.missing"])
        assert include == "#tryinclude extensions_cti.conf"
        mend(pbx, file, lambda text: f"{include}\n{text}")
        findings = await codes(pbx)
        assert not {"called.missing", "line.broken"} & set(findings)
        assert "line.ok" in findings


async def test_a_safe_call_without_its_include_harms_nobody_and_brings_no_card(pbx: DemoPbx) -> None:
    with line_is(pbx, f"exten => {LINE},1,GosubIf({ASKS})\n same => n,Queue(support,t)", ours="") as file:
        findings = await codes(pbx)
        assert "called.missing" not in findings
        assert "line.unasked" in findings
        include = named(findings["dialplan.absent"])
        mend(pbx, file, lambda text: f"{include}\n{text}")
        assert "line.ok" in await codes(pbx)


@pytest.mark.parametrize("ours", ["cti-queue", "cti-step"])
async def test_other_contexts_of_ours_that_are_called_and_missing(pbx: DemoPbx, ours: str) -> None:
    line = f"exten => {LINE},1,Gosub({ours},s,1(support,120))"
    with line_is(pbx, line, ours="") as file:
        finding = (await codes(pbx))["called.missing"]
        assert f"Gosub leads to {ours},s,1" in finding.what
        mend(pbx, file, lambda text: f"{named(finding)}\n{text}")
        assert "called.missing" not in await codes(pbx)


async def test_a_name_that_is_misspelt(pbx: DemoPbx) -> None:
    wrong = "same => n,Gosub(cti-identfy,s,1)"
    with line_is(pbx, f"exten => {LINE},1,Answer()\n {wrong}\n same => n,Queue(support,t)") as file:
        finding = (await codes(pbx))["called.missing"]
        mend(pbx, file, lambda text: text.replace(wrong, named(finding)))
        findings = await codes(pbx)
        assert not {"called.missing", "called.unsafe"} & set(findings)
        assert "line.ok" in findings


async def test_a_name_that_is_misspelt_where_it_is_looked_for(pbx: DemoPbx) -> None:
    wrong = "same => n,GosubIf($[${DIALPLAN_EXISTS(cti-identfy,s,1)}]?cti-identify,s,1)"
    with line_is(pbx, f"exten => {LINE},1,Answer()\n {wrong}\n same => n,Queue(support,t)") as file:
        findings = await codes(pbx)
        finding = findings["called.never"]
        assert "looks for cti-identfy, which is not there, and so never calls cti-identify,s,1" in finding.what
        assert "called.unsafe" not in findings
        mend(pbx, file, lambda text: text.replace(wrong, named(finding)))
        findings = await codes(pbx)
        assert not {"called.never", "called.unsafe"} & set(findings)
        assert "line.ok" in findings


async def test_a_half_of_ours_that_is_gone(pbx: DemoPbx) -> None:
    """cti_site.conf is there and says nothing: calls go on by what cti-settings has, and the doctor says so."""
    with changed(pbx, "cti_site.conf", lambda _: "", "dialplan reload"):
        findings = await codes(pbx)
        assert "called.missing" not in findings
        assert named(findings["dialplan.no_site"]).startswith("Copy dialplans/cti_site.conf beside")
    assert "dialplan.no_site" not in await codes(pbx)


async def test_a_call_that_does_not_look_whether_it_is_there(pbx: DemoPbx) -> None:
    old = "exten => 4008001000,1,Gosub(cti-identify,s,1)"
    queue = "same => n,Gosub(cti-queue,s,1(support,120))"
    with line_is(pbx, f"{old}\n {queue}\n same => n,Queue(support,t)") as file:
        settings = [f for f in await every(pbx) if f.code == "called.unsafe"]
        assert ["on the day that extensions_cti.conf is not loaded" in finding.what for finding in settings] == [
            True
        ] * 2
        for before, finding in zip((old, queue), settings, strict=True):
            mend(pbx, file, lambda text, b=before, f=finding: text.replace(b, named(f)))  # type: ignore[misc]
        findings = await codes(pbx)
        assert "called.unsafe" not in findings
        assert "line.ok" in findings


async def every(pbx: DemoPbx) -> list[Finding]:
    """All findings of a kind, where `codes` has the last."""
    settings = settings_of(pbx)
    return await examine_pbx(settings, settings.pbxs[0], RECORD)


async def test_a_file_that_is_included_and_gone_is_named_before_the_restart_that_would_lose_the_dialplan(
    pbx: DemoPbx,
) -> None:
    with changed(pbx, "extensions.conf", lambda text: f"{text}#include extensions_old.conf\n", "dialplan reload"):
        findings = await codes(pbx)
        assert "line.ok" in findings  # from memory
        assert "is gone after the next restart" in findings["dialplan.unreadable"].what
    assert "dialplan.unreadable" not in await codes(pbx)
    with line_is(pbx, f"exten => {LINE},1,Queue(support,t)", ours="#include extensions_cti.conf\n"):
        ours = pbx.work / "etc" / "extensions_cti.conf"
        text = ours.read_text()
        ours.unlink()
        try:
            named_file = named((await codes(pbx))["dialplan.unreadable"])
        finally:
            ours.write_text(text)
    assert named_file.startswith(
        "Copy dialplans/extensions_cti.conf to /etc/asterisk, or remove the #include of it"
    )
    assert "dialplan.unreadable" not in await codes(pbx)


# --- who asks, and when -----------------------------------------------------------------------------------


async def test_asking_after_the_queue(pbx: DemoPbx) -> None:
    late = f"exten => {LINE},1,Queue(support,t)\n same => n,GosubIf({ASKS})"
    with line_is(pbx, late) as file:
        findings = await codes(pbx)
        assert "dialplan.calls" not in findings
        told = (findings["dialplan.too_late"].remedy or "").partition("   both in")[0]
        assert told == (findings["line.unasked"].remedy or "").partition("   both in")[0]
        mend(pbx, file, lambda text: text.replace(late, told))
        findings = await codes(pbx)
        assert not {"dialplan.too_late", "line.unasked"} & set(findings)
        assert "line.ok" in findings


IVR = f"""exten => {LINE},1,Background(silence/1)
 same => n,WaitExten(5)
exten => 1,1,Queue(support,t)
exten => 2,1,ExecIf($[1]?Queue(sales,t))"""


async def test_the_keys_of_a_menu_stay_keys(pbx: DemoPbx) -> None:
    """A remedy that were followed word for word must not make a step of the extension above out of a key."""
    with line_is(pbx, IVR) as file:
        finding = (await codes(pbx))["line.unasked"]
        lines = (finding.remedy or "").partition("   both in")[0]
        key = lines.splitlines()[0].partition(",")[0]
        old = next(line for line in IVR.splitlines() if line.startswith(f"{key},1,"))
        mend(pbx, file, lambda text: text.replace(old, lines))
        assert key in lines
        shown = pbx.cli(f"dialplan show {key.removeprefix('exten => ')}@from-trunk-cti")
        assert shown.index("cti-identify") < shown.index("Queue(")


async def test_a_queue_is_given_what_its_legs_need_where_it_stands(pbx: DemoPbx) -> None:
    wanted = {
        "exten => 1,1,Queue(support,tkb(cti-leg^s^1))",
        "exten => 2,1,ExecIf($[1]?Queue(sales,tkb(cti-leg^s^1)))",
    }
    with line_is(pbx, IVR) as file:
        told = [named(f) for f in await every(pbx) if f.code == "desk.leg"]
        assert set(told) == wanted
        for line in told:
            key = line.partition(",1,")[0]
            old = next(step for step in IVR.splitlines() if step.startswith(f"{key},1,"))
            mend(pbx, file, lambda text, old=old, line=line: text.replace(old, line))  # type: ignore[misc]
        assert "desk.leg" not in await codes(pbx)


async def test_asking_where_no_call_comes(pbx: DemoPbx) -> None:
    line = f"exten => {LINE},1,Answer()\n same => n,Queue(support,t)"
    dead = f"[our-lines]\nexten => support,1,GosubIf({ASKS})\n same => n,Queue(support,t)"
    with line_is(pbx, f"{line}\n{dead}") as file:
        finding = (await codes(pbx))["dialplan.dead"]
        assert "[our-lines], extension support" in finding.what
        mend(pbx, file, lambda text: text.replace(line, f"exten => {LINE},1,Answer()\n {named(finding)}"))
        findings = await codes(pbx)
        assert "dialplan.dead" not in findings
        assert "line.ok" in findings


async def test_office_hours_are_followed(pbx: DemoPbx) -> None:
    hours = f"""exten => {LINE},1,GotoIfTime(9:00-17:00,mon-fri,*,*?open,1)
 same => n,Playback(vm-goodbye)
 same => n,Hangup()
exten => open,1,GosubIf({ASKS})
 same => n,Queue(support,t)"""
    with line_is(pbx, hours):
        findings = await codes(pbx)
        assert findings["line.ok"].what.startswith(LINE)
        assert "line.lost" not in findings


async def test_a_line_that_rings_phones_and_no_queue(pbx: DemoPbx) -> None:
    """A ring group: people ask elsewhere why no window opens, and have no queue."""
    line = f"exten => {LINE},1,Answer()\n same => n,Dial(PJSIP/1001&PJSIP/1002,20)"
    with line_is(pbx, line) as file:
        finding = (await codes(pbx))["line.rings"]
        mend(pbx, file, lambda text: text.replace("Answer()", f"Answer()\n {named(finding)}"))
        findings = await codes(pbx)
        assert "line.rings" not in findings
        assert "line.ok" in findings


async def test_an_event_filter_that_hides_what_the_floor_is_made_of(pbx: DemoPbx) -> None:
    filtered = lambda text: f"{text}\n[cti-events](+)\neventfilter = Event: Hangup\n"  # noqa: E731
    with changed(pbx, "manager.conf", filtered, "manager reload"):
        finding = (await codes(pbx))["events.filtered"]
        assert "eventfilter = Event: Hangup" in finding.what
    assert "events.filtered" not in await codes(pbx)


async def test_a_line_that_no_extension_has(pbx: DemoPbx) -> None:
    """Though a pattern of ours would fit it: no call from outside comes there."""
    with line_is(pbx, "exten => 4008002000,1,Queue(support,t)") as file:
        finding = (await codes(pbx))["line.absent"]
        mend(pbx, file, lambda text: text + named(finding) + "\n same => n,Queue(support,t)\n")
        findings = await codes(pbx)
        assert "line.absent" not in findings
        assert "line.ok" in findings


async def test_a_line_that_a_pattern_of_the_trunks_context_takes(pbx: DemoPbx) -> None:
    with line_is(pbx, f"exten => _X.,1,GosubIf({ASKS})\n same => n,Queue(support,t)"):
        findings = await codes(pbx)
        assert "line.absent" not in findings
        assert "line.ok" in findings


# --- cti_site.conf ----------------------------------------------------------------------------------------


def set_to(line: str) -> Callable[[str], str]:
    """Puts a Set(NAME=value) into cti_site.conf, in place of the one for that name."""
    name = line.partition("=")[0]
    return lambda text: re.sub(rf"{re.escape(name)}=.*\)$", lambda _: line, text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ("Set(CTI_PBX=main)", "site.pbx", "CTI_PBX is main; the settings know demo"),
        ("Set(CTI_PBX=)", "site.pbx", "CTI_PBX is nothing"),
        ("Set(CTI_VIA=from-intern)", "site.context", "CTI_VIA is from-intern, a context that is not there"),
        ("Set(CTI_PHONES=phones)", "site.context", "CTI_PHONES is phones"),
        ("Set(CTI_NUMBER=our number)", "site.number", "CTI_NUMBER is our number"),
        ("Set(CTI_NOBODY=voicemail,s,1)", "site.nobody", "CTI_NOBODY is voicemail,s,1, a place that is not there"),
        ("Set(CTI_NOBODY=cti-nobody)", "site.nobody", "CTI_NOBODY is cti-nobody"),
        ("Set(CTI_INSIDE=^1[0)", "site.inside_wrong", "cannot read as a regular expression"),
        ("Set(CTI_INSIDE=^2[0-9]{3}$)", "site.inside_none", "fits no agent's phone, 1001 for one"),
        (
            "Set(CTI_INSIDE=^10..$)",
            "site.inside_some",
            "does not fit 1103, the phone of agent a1103: so it is with 1 of 3",
        ),
        ("Set(CTI_INSIDE=[0-9]+)", "site.inside_wide", f"fits {LINE}, too"),
        ("Set(CTI_PRIVATE=hidden)", "site.private", "CTI_PRIVATE is hidden"),
        ("Set(CTI_DEADLINE=fast)", "site.seconds", "CTI_DEADLINE is fast"),
    ],
)
async def test_a_wrong_value_of_cti_site(pbx: DemoPbx, wrong: str, code: str, said: str) -> None:
    with changed(pbx, "cti_site.conf", set_to(wrong), "dialplan reload"):
        finding = (await codes(pbx))[code]
        assert said in finding.what
        mend(pbx, pbx.work / "etc" / "cti_site.conf", set_to(named(finding)))
        findings = await codes(pbx)
        assert code not in findings
        assert "site.ok" in findings


async def test_a_token_that_the_dialplan_does_not_show(pbx: DemoPbx) -> None:
    settings = settings_of(pbx, fastagi_port=4573, fastagi_token=SecretStr("abc"))

    async def tokens() -> dict[str, Finding]:
        (one,) = settings.attached()
        return {f.code: f for f in await examine_pbx(settings, one, RECORD) if f.code.startswith("dialplan.token")}

    finding = (await tokens())["dialplan.token"]
    assert "abc" not in finding.what + (finding.remedy or "")
    right = set_to(named(finding).replace("…", "abc"))
    with changed(pbx, "cti_site.conf", right, "dialplan reload"):
        assert await tokens() == {}
    older = lambda text: re.sub(r"&token=[^)]*\}\)", ")", text)  # noqa: E731
    with changed(pbx, "extensions_cti.conf", older, "dialplan reload"):
        assert "Copy dialplans/extensions_cti.conf" in ((await tokens())["dialplan.token_old"].remedy or "")


async def test_a_second_server(pbx: DemoPbx) -> None:
    """192.0.2.9 is another; the first is this server, or the second is."""
    settings = settings_of(pbx, fastagi_port=4573)

    async def asked() -> dict[str, Finding]:
        (one,) = settings.attached()
        return {f.code: f for f in await examine_pbx(settings, one, RECORD) if f.code.startswith("dialplan.")}

    def site(*lines: str) -> Callable[[str], str]:
        def change(text: str) -> str:
            for line in lines:
                text = set_to(line)(text)
            return text

        return change

    here, there = "127.0.0.1:4573", "192.0.2.9:4573"
    with changed(pbx, "cti_site.conf", site(f"Set(CTI_FASTAGI_2={there})"), "dialplan reload"):
        findings = await asked()
        assert (
            findings["dialplan.second"].what == f"it asks {here} first and then {there}, both within CTI_DEADLINE"
        )
        assert here in findings["dialplan.address"].what
    swapped = site(f"Set(CTI_FASTAGI={there})", f"Set(CTI_FASTAGI_2={here})")
    with changed(pbx, "cti_site.conf", swapped, "dialplan reload"):
        findings = await asked()
        assert here in findings["dialplan.address"].what
        assert "dialplan.host" not in findings
    others = site(f"Set(CTI_FASTAGI={there})", "Set(CTI_FASTAGI_2=192.0.2.10)")
    with changed(pbx, "cti_site.conf", others, "dialplan reload"):
        assert there in (await asked())["dialplan.host"].what
    for wrong, code in (
        (site(f"Set(CTI_FASTAGI_2={here})"), "dialplan.second_same"),
        (site(f"Set(CTI_FASTAGI_2={there})", "Set(CTI_DEADLINE=0.5)"), "dialplan.second_share"),
    ):
        with changed(pbx, "cti_site.conf", wrong, "dialplan reload"):
            finding = (await asked())[code]
            mend(pbx, pbx.work / "etc" / "cti_site.conf", set_to(named(finding)))
            assert code not in await asked()
    older = lambda text: re.sub(r".*CTI_FASTAGI_2.*\n", "", text)  # noqa: E731
    with (
        changed(pbx, "cti_site.conf", site(f"Set(CTI_FASTAGI_2={there})"), "dialplan reload"),
        changed(pbx, "extensions_cti.conf", older, "dialplan reload"),
    ):
        assert "Copy dialplans/extensions_cti.conf" in ((await asked())["dialplan.second_old"].remedy or "")


async def test_a_trunk_that_is_not_there(pbx: DemoPbx) -> None:
    with changed(pbx, "cti_site.conf", set_to("Set(CTI_TRUNK=my-trunk)"), "dialplan reload"):
        finding = (await codes(pbx))["site.trunk"]
        assert "CTI_TRUNK is my-trunk, which is no PJSIP endpoint" in finding.what
        assert "cti-trunk" in pbx.cli(command(finding, "pjsip show"))
        mend(pbx, pbx.work / "etc" / "cti_site.conf", set_to(named(finding).replace("…", "cti-trunk")))
        assert "site.trunk" not in await codes(pbx)


async def test_a_trunk_that_is_away(pbx: DemoPbx) -> None:
    away = "[demo-trunk](+)\nqualify_frequency = 1\nqualify_timeout = 0.5\n"
    with changed(pbx, "pjsip.conf", lambda text: text + away, "module reload res_pjsip.so"):
        for _ in range(100):
            if "site.trunk_away" in (findings := await codes(pbx)):
                break
        assert "Contact:" in pbx.cli(command(findings["site.trunk_away"], "pjsip show"))


# --- rooms, keys ------------------------------------------------------------------------------------------


async def test_a_room_of_an_older_desk(pbx: DemoPbx) -> None:
    """It named profiles; without them Asterisk hung up everybody who was sent there."""
    old = lambda text: text.replace("ConfBridge(${EXTEN})", "ConfBridge(${EXTEN},cti_room,cti_guest)")  # noqa: E731
    with changed(pbx, "extensions_cti_desk.conf", old, "dialplan reload"):
        finding = (await codes(pbx))["room.by_profile"]
        assert "extensions_cti_desk.conf" in (finding.remedy or "")
        newer = (dialplans_folder() / "extensions_cti_desk.conf").read_text()
        (pbx.work / "etc" / "extensions_cti_desk.conf").write_text(newer)
        pbx.cli(command(finding, "dialplan reload"))
        assert "room.ok" in await codes(pbx)


async def test_rooms_without_their_module(pbx: DemoPbx) -> None:
    modules = pbx.work / "etc" / "modules.conf"
    before = modules.read_text()
    modules.write_text(f"{before}noload = app_confbridge.so\n")
    try:
        pbx.restart()
    finally:
        modules.write_text(before)
    finding = (await codes(pbx))["room.no_module"]
    pbx.cli("module unload func_module.so")
    try:
        assert "room.no_module" in await codes(pbx)  # told by its action
    finally:
        pbx.cli("module load func_module.so")
    pbx.cli(command(finding, "module load"))
    assert "room.ok" in await codes(pbx)


async def test_a_queue_that_the_dialplan_names_and_the_pbx_lacks(pbx: DemoPbx) -> None:
    """A slip in queues.conf: the callers go past the queue, and nothing else says so."""
    with line_is(pbx, "exten => 4008001000,1,Queue(suport,t)") as file:
        finding = (await codes(pbx))["queue.named"]
        assert "queue suport" in finding.what
        mend(pbx, file, lambda text: text.replace("Queue(suport,t)", named(finding).replace("…", "t")))
        assert "queue.named" not in await codes(pbx)


async def test_an_include_at_the_end_of_features_counts(pbx: DemoPbx) -> None:
    """Two sections of one name, as the packaged features.conf and ours make them: Asterisk reads both."""
    stock = "[general]\npickupexten = *8\n[featuremap]\nblindxfer = #1\n[applicationmap]\nown => #9,self,NoOp(x)\n"
    with changed(pbx, "features.conf", lambda _: stock, "module reload features"):
        findings = [finding for finding in await every(pbx) if finding.code == "desk.key"]
        assert len(findings) == 4  # that *3 joins three is Asterisk's own default
        include, reload = named(findings[0]), command(findings[0], "module reload")
        mend(pbx, pbx.work / "etc" / "features.conf", lambda text: f"{text}{include}\n", reload)
        assert not {"desk.key", "desk.keys_unseen"} & set(await codes(pbx))
        assert re.search(r"cti-hold +no def +A", pbx.cli("features show"))


# --- phones -----------------------------------------------------------------------------------------------


async def test_a_phone_that_is_off(pbx: DemoPbx) -> None:
    only = Recorded(AGENTS[:1], QUEUES, RECORD.lines)
    finding = (await codes(pbx, only))["agent.off"]
    assert finding.what == "PJSIP/1001, the phone of agent a1001, is off: no call rings there"
    with Deskphone(pbx, "1001"):
        await until(
            lambda: "NonQual" in pbx.cli("pjsip show contacts") or "Avail" in pbx.cli("pjsip show contacts"), "x"
        )
        assert "agent.off" not in await codes(pbx, only)
        assert "Contact:" in pbx.cli(command(finding, "pjsip show endpoint 1001"))


def browser(number: str) -> Recorded:
    phone = Phone(pbx="demo", seat=f"PJSIP/{number}", extension=number, kind="browser", sip_user=number)
    return Recorded(AGENTS, QUEUES, RECORD.lines, [phone])


@pytest.mark.parametrize(
    ("number", "wrong", "code"),
    [("1001", "", "browser.no_webrtc"), ("1101", "allow = !all,gsm", "browser.no_codec")],
)
async def test_an_endpoint_that_is_not_made_for_browsers(pbx: DemoPbx, number: str, wrong: str, code: str) -> None:
    section = f"\n[{number}](+type=endpoint)\n"
    reload = "module reload res_pjsip.so"
    assert "browser.ok" in await codes(pbx, browser("1102"))
    with changed(pbx, "pjsip.conf", lambda text: f"{text}{section}{wrong}\n", reload):
        finding = (await codes(pbx, browser(number)))[code]
        assert command(finding, "pjsip reload")
        mend(pbx, pbx.work / "etc" / "pjsip.conf", lambda text: f"{text}{section}{named(finding)}\n", reload)
        assert "browser.ok" in await codes(pbx, browser(number))


async def test_a_browser_phone_that_the_pbx_does_not_know(pbx: DemoPbx) -> None:
    finding = (await codes(pbx, browser("1199")))["browser.unknown"]
    assert named(finding) == "[1199]"
    endpoint = "\n[1199](cti-browser)\naors = 1199\n[1199](cti-phone-aor)\n"
    with changed(pbx, "pjsip.conf", lambda text: text + endpoint, "module reload res_pjsip.so"):
        assert "browser.ok" in await codes(pbx, browser("1199"))


async def test_a_browser_that_finds_no_asterisk(pbx: DemoPbx) -> None:
    port = pbx.config.http_port
    none = (await found(pbx, browser("1101"), softphone_url=None))["browser.no_url"]
    assert "CTI_SOFTPHONE_URL=wss://127.0.0.1:8089/ws" in (none.remedy or "")
    plain = await found(pbx, browser("1101"), softphone_url="ws://pbx.invalid:8088/ws")
    assert "CTI_SOFTPHONE_URL=wss://pbx.invalid:8089/ws" in (plain["browser.plain"].remedy or "")
    path = await found(pbx, browser("1101"), softphone_url=f"ws://127.0.0.1:{port}/sip")
    assert "it answers 404" in path["browser.no_sip"].what
    secure = await found(pbx, browser("1101"), softphone_url=f"wss://127.0.0.1:{pbx.config.https_port}/ws")
    assert "self-signed certificate" in secure["browser.untrusted"].what.replace("self signed", "self-signed")
    crossed = await found(pbx, browser("1101"), softphone_url=f"wss://127.0.0.1:{port}/ws")
    assert "browser.no_tls" in crossed


async def test_a_web_server_that_is_not_enabled(pbx: DemoPbx) -> None:
    off = f"[general]\nenabled = no\nbindport = {pbx.config.http_port}\n"
    with changed(pbx, "http.conf", lambda _: off, "module reload http"):
        finding = (await codes(pbx, browser("1101")))["browser.no_http"]
        lines = (
            (finding.remedy or "")
            .partition("; then:")[0]
            .removeprefix("In [general] of http.conf:  ")
            .split("   ")
        )
        assert lines == ["enabled = yes", "bindaddr = 127.0.0.1", f"bindport = {pbx.config.http_port}"]
        http = pbx.work / "etc" / "http.conf"
        mend(pbx, http, lambda _: "\n".join(["[general]", *lines, ""]), command(finding, "module reload"))
        assert "browser.ok" in await codes(pbx, browser("1101"))


# --- queues -----------------------------------------------------------------------------------------------


def with_queue(name: str) -> Recorded:
    return Recorded(AGENTS, [*QUEUES, Queue(0, "demo", name, name, name)], RECORD.lines)


async def test_a_queue_that_only_the_record_has(pbx: DemoPbx) -> None:
    record = with_queue("billing")
    finding = (await codes(pbx, record))["queue.gone"]
    assert finding.what == "the PBX has no queue billing, which the record has: nobody can wait in it"
    added = lambda text: f"{text}\n{named(finding)}\n"  # noqa: E731
    with changed(pbx, "queues.conf", added, command(finding, "queue reload")):
        assert "queue.ok" in await codes(pbx, record)


async def test_a_queue_whose_name_differs_by_a_letter(pbx: DemoPbx) -> None:
    record = Recorded(AGENTS, [*QUEUES[1:], Queue(0, "demo", "Support", "S", "S")], RECORD.lines)
    finding = (await codes(pbx, record))["queue.misnamed"]
    assert finding.what.startswith("the record calls a queue Support, the PBX has support")
    assert (finding.remedy or "").startswith("cti-server queue add support --pbx demo")


async def test_on_freepbx_a_queue_is_made_on_its_screens(pbx: DemoPbx) -> None:
    freepbx = "[ext-queues]\nexten => 600,1,Queue(support,t)\n"
    with line_is(pbx, f"exten => {LINE},1,GosubIf({ASKS})\n same => n,Goto(ext-queues,600,1)\n{freepbx}"):
        remedy = (await codes(pbx, with_queue("601")))["queue.gone_freepbx"].remedy or ""
    assert remedy.startswith("Applications, Queues, Add Queue, with 601 as its number")
    assert "queues_additional.conf" in remedy


async def test_pauses_that_another_server_has_set(pbx: DemoPbx) -> None:
    """Or one that stopped in mid-call: the members ring nobody, and no shift of ours explains it."""
    pbx.cli("queue pause member PJSIP/1001 queue support reason on_call")
    finding = (await codes(pbx))["queue.paused_elsewhere"]
    assert "member PJSIP/1001 of queue support is paused as a cti-server does it (on_call)" in finding.what
    at_work = Recorded(AGENTS, QUEUES, RECORD.lines, (), frozenset({("demo", "PJSIP/1001")}))
    assert "queue.paused_elsewhere" not in await codes(pbx, at_work)
    assert pbx.cli(command(finding, "manager show connected"))
    pbx.cli(command(finding, "queue unpause"))
    assert "queue.paused_elsewhere" not in await codes(pbx)
