"""The layout of FreePBX, and each thing that its administrator may get wrong there: the doctor names it, and what
it names is a `_custom` file or a screen, which mends it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cti_server.demo.calls import Deskphone, place_call
from cti_server.doctor import Finding, Status
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.record.center.phones import Phone
from cti_server.record.center.queues import Queue
from cti_server.rules.facts import Line
from tests.live.center import Center, until
from tests.live.freepbx import AGENTS, NAME, RECORD, bad, found, pbx, served
from tests.live.stock import DESTINATION, LINE, QUEUE_600, RING_GROUP, TIME_CONDITION, WEBRTC, FreePbxLike
from tests.live.test_doctor import changed
from tests.live.test_doctor_mends import command, mend, named, set_to
from tests.live.test_fastagi_dropped import dropping
from tests.live.test_fastagi_dropped import found as found_beside

__all__ = ["pbx"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

CUSTOM, SITE = "extensions_custom.conf", "cti_site.conf"


async def test_as_the_page_has_it_nothing_is_wrong(pbx: FreePbxLike) -> None:
    assert await bad(pbx) == {}


# --- extensions_custom.conf -------------------------------------------------------------------------------


@contextmanager
def custom(pbx: FreePbxLike, old: str, new: str) -> Iterator[Path]:
    """extensions_custom.conf with something wrong in it; gives the file, in which to mend it."""

    def wrong(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    with changed(pbx, CUSTOM, wrong, "dialplan reload"):
        yield pbx.etc / CUSTOM


INCLUDE = "#tryinclude extensions_cti.conf\n"
ASK = "GosubIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1)"
INHERIT = " same => n,GosubIf($[${DIALPLAN_EXISTS(cti-inherit,s,1)}]?cti-inherit,s,1)\n"


@pytest.mark.parametrize(
    ("include", "code"),
    [("extensions_cti.conf", "dialplan.absent"), ("extensions_cti_desk.conf", "desk.contexts")],
)
async def test_an_include_that_is_missing(pbx: FreePbxLike, include: str, code: str) -> None:
    with custom(pbx, f"#tryinclude {include}\n", "") as file:
        finding = (await bad(pbx))[code]
        assert CUSTOM in (finding.remedy or "")
        mend(pbx, file, lambda text: f"{named(finding)}\n{text}")
        assert await bad(pbx) == {}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("GosubIf($[${DIALPLAN_EXISTS(cti-identfy,s,1)}]?cti-identify,s,1)", "called.never"),
        ("GosubIf($[${DIALPLAN_EXISTS(cti-identfy,s,1)}]?cti-identfy,s,1)", "called.skipped"),
        ("Gosub(cti-identfy,s,1)", "called.missing"),
        ("Gosub(cti-identify,s,1)", "called.unsafe"),
    ],
)
async def test_a_call_that_is_misspelt_or_does_not_look(pbx: FreePbxLike, wrong: str, code: str) -> None:
    line = f"exten => s,1,{ASK}"
    with custom(pbx, line, f"exten => s,1,{wrong}") as file:
        finding = (await bad(pbx))[code]
        assert "[cti-freepbx], extension s" in finding.what
        assert named(finding) == line
        mend(pbx, file, lambda text: text.replace(f"exten => s,1,{wrong}", named(finding)))
        assert await bad(pbx) == {}


async def test_what_the_destination_calls_is_gone(pbx: FreePbxLike) -> None:
    """FreePBX's own line does not look first: callers are cut off."""
    with changed(pbx, CUSTOM, lambda text: text.partition("[cti-freepbx]")[0], "dialplan reload"):
        findings = await bad(pbx)
        assert "cuts the caller off" in findings["called.missing_freepbx"].what
        assert findings["line.broken_freepbx"].status is Status.PROBLEM
        lines, _, where = (findings["called.missing_freepbx"].remedy or "").partition("   in ")
        assert where.startswith(CUSTOM)
        mend(pbx, pbx.etc / CUSTOM, lambda text: f"{text}{lines}\n")
        assert await bad(pbx) == {}


async def test_phones_that_inherit_nothing(pbx: FreePbxLike) -> None:
    """Its Queue() is not ours to give a b(cti-leg…)."""
    with custom(pbx, INHERIT, "") as file:
        finding = (await bad(pbx))["desk.heir"]
        mend(pbx, file, lambda text: text.replace(f"{ASK}\n", f"{ASK}\n{named(finding)}\n"))
        assert await bad(pbx) == {}


async def test_an_include_of_a_file_that_is_gone_loses_all_of_the_custom_file(pbx: FreePbxLike) -> None:
    """At the next reload, and without a word of Asterisk but in its log."""
    include = "#include extensions_old.conf\n"
    with custom(pbx, INCLUDE, f"{include}{INCLUDE}") as file:
        remedy = (await bad(pbx))["called.missing_freepbx"].remedy or ""
        assert "write #tryinclude" in remedy
        assert "extensions_old.conf" in pbx.log_file.read_text()
        mend(pbx, file, lambda text: text.replace(include, include.replace("#include", "#tryinclude")))
        assert await bad(pbx) == {}


async def test_events_without_their_time(pbx: FreePbxLike) -> None:
    file, reload = "manager_custom.conf", "manager reload"
    with changed(pbx, file, lambda text: text.replace("timestampevents = yes\n", ""), reload):
        finding = (await bad(pbx))["events.timestamps"]
        assert f"[general](+) of {file}" in (finding.remedy or "")
        mend(pbx, pbx.etc / file, lambda text: f"{text}\n[general](+)\n{named(finding)}\n", reload)
        assert await bad(pbx) == {}


# --- what stands on the screens ---------------------------------------------------------------------------


@pytest.fixture
def screens(pbx: FreePbxLike) -> Iterator[FreePbxLike]:
    """Whatever is chosen on the screens is put back."""
    file = pbx.etc / "extensions_additional.conf"
    before = file.read_text()
    yield pbx
    file.write_text(before)
    pbx.cli("dialplan reload")


@pytest.mark.parametrize(
    ("route", "code"),
    [
        (QUEUE_600, "line.unasked_freepbx"),
        (TIME_CONDITION, "line.unasked_freepbx"),
        (RING_GROUP, "line.rings_freepbx"),
    ],
)
async def test_a_route_that_passes_the_destination_by(screens: FreePbxLike, route: str, code: str) -> None:
    """The destination that the doctor names comes first, and leads where the route led before."""
    screens.route_to(route)
    remedy = (await bad(screens))[code].remedy or ""
    [target] = re.findall(r"Add: target (\S+),", remedy)
    assert f"destination: where {LINE} leads now" in remedy
    screens.destination(target, route)
    screens.route_to(DESTINATION)
    assert await bad(screens) == {}


async def test_office_hours_before_the_destination_are_followed(screens: FreePbxLike) -> None:
    file = screens.etc / "extensions_additional.conf"
    file.write_text(file.read_text().replace(f"(truestate),Goto({QUEUE_600})", f"(truestate),Goto({DESTINATION})"))
    screens.route_to(TIME_CONDITION)
    assert await bad(screens) == {}


@pytest.mark.parametrize(
    ("target", "code"),
    [("cti-freepx,s,1", "called.missing_freepbx"), ("cti-identify,s,1", "called.unsafe_freepbx")],
)
async def test_a_destination_with_another_target(screens: FreePbxLike, target: str, code: str) -> None:
    screens.destination(target, QUEUE_600)
    [right] = re.findall(r"target (\S+),", (await bad(screens))[code].remedy or "")
    screens.destination(right, QUEUE_600)
    assert await bad(screens) == {}


async def test_a_line_without_a_route(screens: FreePbxLike) -> None:
    other = "4008009000"
    record = Recorded(AGENTS, RECORD.queues, [*RECORD.lines, Line(id=2, raw=other, e164=None, region="CN")])
    assert f"DID Number {other}" in ((await bad(screens, record))["line.absent_freepbx"].remedy or "")
    file = screens.etc / "extensions_additional.conf"
    route = f"[ext-did]\nexten => {other},1,Goto({DESTINATION})\n"
    mend(screens, file, lambda text: text.replace("[ext-did]\n", route))
    assert await bad(screens, record) == {}


async def test_a_line_that_only_the_route_for_any_number_takes(pbx: FreePbxLike) -> None:
    catch_all = f"[ext-did]\ninclude => ext-did-catchall\n[ext-did-catchall]\nexten => _.,1,Goto({QUEUE_600})\n"
    record = Recorded(AGENTS, RECORD.queues, [Line(id=1, raw="4008009000", e164=None, region="CN")])
    with changed(pbx, "extensions_additional.conf", lambda text: text + catch_all, "dialplan reload"):
        assert set(await bad(pbx, record)) == {"line.unasked_freepbx"}
        mend(
            pbx,
            pbx.etc / "extensions_additional.conf",
            lambda text: text.replace(f"_.,1,Goto({QUEUE_600})", f"_.,1,Goto({DESTINATION})"),
        )
        assert await bad(pbx, record) == {}


async def test_asking_where_no_call_comes(screens: FreePbxLike) -> None:
    """No Custom Destination leads to cti-freepbx."""
    screens.route_to(QUEUE_600)
    screens.destination("app-blackhole,hangup,1", QUEUE_600)
    finding = (await bad(screens))["dialplan.dead_freepbx"]
    [target] = re.findall(r"Add: target (\S+),", finding.remedy or "")
    screens.destination(target, QUEUE_600)
    screens.route_to(DESTINATION)
    assert await bad(screens) == {}


async def test_asking_after_the_queue(screens: FreePbxLike) -> None:
    """In a context of the administrator's own, to which a Custom Destination leads."""
    queue, asks = " same => n,Queue(600,t)", f" same => n,{ASK}"
    late = f"[our-queue]\nexten => s,1,NoOp()\n{queue}\n{asks}\n same => n,Return()\n"
    screens.destination("our-queue,s,1", "app-blackhole,hangup,1")
    with changed(screens, CUSTOM, lambda text: f"{text}{late}", "dialplan reload"):
        findings = await bad(screens)
        assert named(findings["dialplan.too_late"]) == asks.strip()
        assert "[our-queue], extension s" in findings["dialplan.too_late"].what
        early = f" {named(findings['dialplan.too_late'])}\n{named(findings['desk.leg'])}"
        mend(screens, screens.etc / CUSTOM, lambda text: text.replace(f"{queue}\n{asks}", early))
        assert set(await bad(screens)) == {"dialplan.dead_freepbx"}, (
            "cti-freepbx, to which nothing leads meanwhile"
        )


# --- cti_site.conf ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("Set(CTI_PBX=main)", "site.pbx"),
        ("Set(CTI_VIA=from-intern)", "site.context"),
        ("Set(CTI_PHONES=phones-xfer)", "site.context"),
        ("Set(CTI_NUMBER=our number)", "site.number"),
        ("Set(CTI_NOBODY=voicemail,s,1)", "site.nobody"),
        ("Set(CTI_INSIDE=^2[0)", "site.inside_wrong"),
        ("Set(CTI_INSIDE=^1[0-9]{3}$)", "site.inside_none"),
        ("Set(CTI_INSIDE=^...1$)", "site.inside_some"),
        ("Set(CTI_INSIDE=[0-9]+)", "site.inside_wide"),
        ("Set(CTI_FASTAGI=127.0.0.1:1)", "dialplan.port"),
    ],
)
async def test_a_wrong_value_of_cti_site(pbx: FreePbxLike, wrong: str, code: str) -> None:
    with changed(pbx, SITE, set_to(wrong), "dialplan reload"):
        finding = (await bad(pbx))[code]
        mend(pbx, pbx.etc / SITE, set_to(named(finding)))
        assert await bad(pbx) == {}


async def test_a_trunk_that_is_not_there(pbx: FreePbxLike) -> None:
    """Without CTI_VIA numbers go by a trunk, past its outbound routes; the remedy knows the way that they take."""
    with changed(pbx, SITE, set_to("Set(CTI_VIA=)"), "dialplan reload"):
        finding = (await bad(pbx))["site.trunk"]
        [via] = re.findall(r"Set\(CTI_VIA=\S+\)", finding.remedy or "")
        mend(pbx, pbx.etc / SITE, set_to(via))
        assert await bad(pbx) == {}


async def test_a_half_of_ours_that_is_gone(pbx: FreePbxLike) -> None:
    with changed(pbx, SITE, lambda _: "", "dialplan reload"):
        assert named((await bad(pbx))["dialplan.no_site"]).startswith(f"Copy dialplans/{SITE} beside")
    assert await bad(pbx) == {}


# --- keys -------------------------------------------------------------------------------------------------


async def test_keys_in_the_files_that_it_includes(pbx: FreePbxLike) -> None:
    """features.conf is its own; our lines stand in two `_custom` files."""
    ours = {name: (pbx.etc / f"features_{name}_custom.conf") for name in ("general", "applicationmap")}
    lines = {name: file.read_text() for name, file in ours.items()}
    try:
        for file in ours.values():
            file.write_text("")
        pbx.cli("module reload features")
        remedy = (await bad(pbx))["desk.key"].remedy or ""
        for name, text in lines.items():
            assert f"features_{name}_custom.conf" in remedy or name == "general"
            ours[name].write_text(text)
        pbx.cli(command((await bad(pbx))["desk.key"], "module reload"))
        assert await bad(pbx) == {}
    finally:
        for name, text in lines.items():
            ours[name].write_text(text)
        pbx.cli("module reload features")


async def test_an_include_at_the_end_of_features_counts(pbx: FreePbxLike) -> None:
    """Of an administrator who did as on plain Asterisk."""
    reload, include = "module reload features", "#tryinclude features_cti.conf\n"
    with (
        changed(pbx, "features_general_custom.conf", lambda _: "", reload),
        changed(pbx, "features_applicationmap_custom.conf", lambda _: "", reload),
        changed(pbx, "features.conf", lambda text: f"{text}{include}", reload),
    ):
        assert await bad(pbx) == {}


# --- queues and phones ------------------------------------------------------------------------------------


def with_queues(*names: str) -> Recorded:
    return Recorded(AGENTS, [Queue(0, NAME, name, name, name) for name in names], RECORD.lines)


async def test_a_queue_that_the_record_calls_by_a_name(pbx: FreePbxLike) -> None:
    remedy = (await bad(pbx, with_queues("support", "601")))["queue.by_number"].remedy or ""
    [number] = re.findall(r"cti-server queue add (\S+)", remedy)
    assert "cti-server queue remove support" in remedy
    assert await bad(pbx, with_queues(number, "601")) == {}


async def test_a_queue_that_only_the_record_has(pbx: FreePbxLike) -> None:
    remedy = (await bad(pbx, with_queues("600", "601", "777")))["queue.gone_freepbx"].remedy or ""
    assert remedy.startswith("Applications, Queues, Add Queue, with 777 as its number; Apply Config")
    added = lambda text: f"{text}[777]\nstrategy = ringall\n"  # noqa: E731
    with changed(pbx, "queues_additional.conf", added, "queue reload all"):
        assert await bad(pbx, with_queues("600", "601", "777")) == {}


async def test_a_queue_that_the_dialplan_names_and_the_pbx_lacks(pbx: FreePbxLike) -> None:
    own = lambda text: f"{text}[our-own]\nexten => 1,1,Queue(60,tb(cti-leg^s^1))\n"  # noqa: E731
    with changed(pbx, CUSTOM, own, "dialplan reload"):
        finding = (await bad(pbx))["queue.named_freepbx"]
        mend(pbx, pbx.etc / CUSTOM, lambda text: text.replace("Queue(60,t", named(finding).replace("…)", "t")))
        assert await bad(pbx) == {}


async def test_an_agent_of_no_queue(pbx: FreePbxLike) -> None:
    alone = lambda text: re.sub(r"member => .*2002.*\n", "", text)  # noqa: E731
    with changed(pbx, "queues_additional.conf", alone, "queue reload all"):
        remedy = (await bad(pbx))["agent.no_queue_freepbx"].remedy or ""
        assert "Static Agents: 2002" in remedy
    assert await bad(pbx) == {}


async def test_a_member_whose_hint_leads_nowhere(pbx: FreePbxLike) -> None:
    astray = lambda text: text.replace("hint:2002@ext-local", "hint:2002@nowhere")  # noqa: E731
    with changed(pbx, "queues_additional.conf", astray, "queue reload all"):
        finding = (await bad(pbx))["queue.hint"]
        assert "queues_post_custom.conf" in (finding.remedy or "")
        [member] = re.findall(r"member = \S+,0,.*,PJSIP/\d+", finding.remedy or "")
        post = lambda text: f"{text}[600](+)\n{member}\n"  # noqa: E731
        with changed(pbx, "queues_post_custom.conf", post, "queue reload all"):
            assert await bad(pbx) == {}


async def test_a_phone_that_is_off(pbx: FreePbxLike) -> None:
    only = Recorded(AGENTS[:1], RECORD.queues, RECORD.lines)
    finding = (await found(pbx, only))["agent.off"]
    assert finding.what == "PJSIP/2001, the phone of agent alice, is off: no call rings there"
    with Deskphone(pbx, "2001"):
        shows = command(finding, "pjsip show")
        await until(lambda: "Contact:" in pbx.cli(shows), "its contact")
        assert "agent.off" not in await found(pbx, only)


# --- browser phones ---------------------------------------------------------------------------------------


def browser(number: str) -> Recorded:
    phone = Phone(pbx=NAME, seat=f"PJSIP/{number}", extension=number, kind="browser", sip_user=number)
    return Recorded(AGENTS, RECORD.queues, RECORD.lines, [phone])


async def test_a_browser_phone(pbx: FreePbxLike) -> None:
    """An extension of that number is made on its screens; what it lacks goes into a `_custom` file."""
    reload, generated = "module reload res_pjsip.so", "pjsip.endpoint.conf"
    assert "an extension of that number" in ((await bad(pbx, browser("2003")))["browser.unknown"].remedy or "")
    with changed(pbx, generated, lambda text: text + WEBRTC.format(number="2003", webrtc="no"), reload):
        finding = (await bad(pbx, browser("2003")))["browser.no_webrtc"]
        [file] = re.findall(r"pjsip\.endpoint_custom_post\.conf", finding.remedy or "")
        wanted = lambda text: f"{text}[2003](+type=endpoint)\n{named(finding)}\n"  # noqa: E731
        with changed(pbx, file, wanted, reload):
            assert await bad(pbx, browser("2003")) == {}


async def test_a_web_server_that_is_not_enabled(pbx: FreePbxLike) -> None:
    def screen(*, enabled: bool) -> None:
        pbx.builtin_http(enabled=enabled)
        pbx.cli("module reload http")

    extension = lambda text: text + WEBRTC.format(number="2003", webrtc="yes")  # noqa: E731
    with changed(pbx, "pjsip.endpoint.conf", extension, "module reload res_pjsip.so"):
        screen(enabled=False)
        try:
            remedy = (await bad(pbx, browser("2003")))["browser.no_http"].remedy or ""
            assert "Settings, Advanced Settings, Asterisk Builtin mini-HTTP server" in remedy
        finally:
            screen(enabled=True)
        assert await bad(pbx, browser("2003")) == {}


# --- beside a server that runs ----------------------------------------------------------------------------


@pytest.fixture
async def site(pbx: FreePbxLike, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Center]:
    async with served(pbx, sqlite_url, tmp_path) as made:
        yield made


async def test_another_server_with_another_record(pbx: FreePbxLike, site: Center) -> None:
    """Its pauses are seen at members behind hints, too, and what is left of it is taken back."""
    async with site.signed_in("alice") as alice:
        (await alice.post("/api/me/shift", json={"phone": None})).raise_for_status()

        async def seen() -> Finding | None:
            return (await bad(pbx)).get("queue.paused_elsewhere")

        finding = await until(seen, "the other server's pause to be seen")
        assert "(signed_in)" in finding.what
        assert "cti-events" in pbx.cli(command(finding, "manager show connected"))
        await site.stop()
    pbx.cli(
        "queue pause member Local/2001@from-queue/n queue 600 reason on_call"
    )  # as one that was killed leaves it
    pbx.cli(command((await bad(pbx))["queue.paused_elsewhere"], "queue unpause"))
    assert await bad(pbx) == {}


async def test_questions_that_are_dropped(pbx: FreePbxLike, site: Center) -> None:
    with dropping() as port, changed(pbx, SITE, set_to(f"Set(CTI_FASTAGI=127.0.0.1:{port})"), "dialplan reload"):
        with place_call(pbx, "13800138000", LINE):

            async def queued() -> dict[str, Finding] | None:
                findings = await found_beside(site)
                return findings if {"fastagi.none_asked", "fastagi.down"} <= set(findings) else None

            findings = await until(queued, "a caller in the queue who was not identified")
        assert "Custom Destination cti-freepbx,s,1" in (findings["fastagi.none_asked"].remedy or "")
        remedy = findings["fastagi.down"].remedy or ""
        [line] = re.findall(r"^(Set\(CTI_FASTAGI=.*\))   in cti_site.conf$", remedy, re.M)
        mend(pbx, pbx.etc / SITE, set_to(line))
        with place_call(pbx, "13800138000", LINE):

            async def asked() -> bool:
                codes = set(await found_beside(site))
                return "fastagi.asked" in codes and not {"fastagi.none_asked", "fastagi.down"} & codes

            await until(asked, "a question that arrives")
