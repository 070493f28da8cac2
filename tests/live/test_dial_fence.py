"""The fence of the dial policy on a real Asterisk: it decides as the policy does, and goes round nothing.

Here the server is by-passed: by a phone that dials, or a manager's user who redirects a caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from cti_server.asterisk import moves
from cti_server.asterisk.call_actions import BlindTransfer, Redirect
from cti_server.commands import CommandRefused
from cti_server.control.targets import dialable
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.rules import dial_fence, numbers
from cti_server.rules.destinations import KINDS, Site, destination, emergency_of
from cti_server.rules.dial_fence import Strictness
from cti_server.rules.dial_policy import DEFAULT, Hours, Policy, Rule, Who, decide
from cti_server.rules.facts import DialForm
from tests.documents.test_dialling import ENGLISH, blocks
from tests.live.test_moves import channels, in_bridges, until
from tests.rules.dialled_numbers import NONE_AT_ALL, NUMBERS, OWN
from tests.transcripts.scenarios_desk import talks
from tests.transcripts.scenarios_transfer import ringing, talking
from tests.transcripts.stage import Stage
from tests.transcripts.tap import tap

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
FENCE = dial_fence.FILE
FREE, ABROAD, PREMIUM = "13800138000", "00442079460018", "0019005551234"


@pytest.fixture(scope="module")
def pbx() -> Iterator[DemoPbx]:
    try:
        made = DemoPbx(free_config(site={"CTI_RING": "3"}))
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with made:
        yield made


@pytest.fixture
def stage(pbx: DemoPbx) -> Iterator[Stage]:
    with tap(pbx.config.ami_port, pbx.config.secrets) as tape, ExitStack() as stack:
        tape.event("FullyBooted")
        yield Stage(pbx, tape, stack)
    until(lambda: channels(pbx) == [], "every channel is gone")


# --- the same decisions ------------------------------------------------------------------------------------

LANDLINES = Policy(
    (
        Rule("no-mobiles", "refuse", numbers=("+447", "+4470")),
        Rule("costly", "refuse", kinds=("premium", "satellite", "shared_cost", "unknown")),
        Rule("hotline", "allow", numbers=("400", "10086")),
        Rule("world", "allow", countries=("GB", "HK", "DE", "US", "DO")),
        Rule("inside", "allow", kinds=("internal", "emergency", "own", "special", "national", "toll_free")),
    ),
    internal=("1XXX", "8XXX"),
)
EVERYTHING = Policy((Rule("all", "allow"),))
NO_EMERGENCY = Policy((Rule("none", "refuse", kinds=("emergency",)), Rule("all", "allow")))
OWN_EMERGENCY = Policy(DEFAULT.rules, emergency=("110", "2222"))
CASES: list[tuple[str, str, Policy, DialForm]] = [
    ("default-e164", "CN", DEFAULT, "e164"),
    ("default-digits", "CN", DEFAULT, "digits"),
    ("default-national", "CN", DEFAULT, "national"),
    ("default-US", "US", DEFAULT, "national"),
    ("default-GB", "GB", DEFAULT, "e164"),
    ("default-DE", "DE", DEFAULT, "e164"),
    ("landlines-GB", "GB", LANDLINES, "national"),
    ("landlines-CN", "CN", LANDLINES, "e164"),
    ("everything-CN", "CN", EVERYTHING, "e164"),
    ("everything-US", "US", EVERYTHING, "digits"),
    ("no-emergency", "CN", NO_EMERGENCY, "e164"),
    ("own-emergency", "CN", OWN_EMERGENCY, "e164"),
]


def site(region: str, policy: Policy, form: DialForm) -> Site:
    return Site(region, form, internal=policy.internal, own=OWN, emergency=policy.emergency)


def dialled(region: str, here: Site) -> list[str]:
    """What the PBX would be told of every number of the table, and how its phones dial it."""
    found: dict[str, None] = {}
    for _, text, _, _ in NUMBERS:
        try:
            told = emergency_of(text, here) or dialable(text, region, here.form)
        except CommandRefused:
            continue
        found[told] = None
        whole = destination(told, here).e164
        if whole is not None:
            found[whole] = None
            if here.form != "digits":
                found[numbers.dialled(whole, "national", region)] = None
    return list(found)


def test_each_kind_is_tried() -> None:
    tried = {
        destination(number, here).kind
        for _, region, policy, form in CASES
        for here in [site(region, policy, form)]
        for number in dialled(region, here)
    }
    assert tried == set(KINDS)


def ask_asterisk(pbx: DemoPbx, fence: str, asked: list[str], name: str) -> dict[str, str]:
    """What the fence says of each number: `1/rule` or `0/rule`."""
    lines = ["", "[fence-test]", "exten => all,1,NoOp()"]
    for index, number in enumerate(asked):
        lines.append(f" same => n,Gosub(cti-fence,s,1({number}))")
        lines.append(f" same => n,Set(GLOBAL(FENCED_{index})=${{GOSUB_RETVAL}}/${{CTI_FENCE_RULE}})")
    lines += [f" same => n,Set(GLOBAL(FENCE_DONE)={name})", ""]
    (pbx.work / "etc" / FENCE).write_text(fence + "\n".join(lines))
    pbx.cli("dialplan reload")
    pbx.cli("channel originate Local/all@fence-test application NoOp")
    said: dict[str, str] = {}

    def done() -> bool:
        for line in pbx.cli("dialplan show globals").splitlines():
            variable, _, value = line.strip().partition("=")
            said[variable] = value
        return said.get("FENCE_DONE") == name

    until(done, f"the fence of {name} to have answered")
    return {number: said[f"FENCED_{index}"] for index, number in enumerate(asked)}


@pytest.mark.parametrize(("name", "region", "policy", "form"), CASES, ids=[case[0] for case in CASES])
def test_it_decides_as_the_policy_does(
    pbx: DemoPbx, name: str, region: str, policy: Policy, form: DialForm
) -> None:
    """Of everybody's rules: as for an agent on shift, for whom no rule by role or login fits."""
    here = site(region, policy, form)
    asked = dialled(region, here)
    said = ask_asterisk(pbx, dial_fence.made(policy, here).text, asked, name)
    who = Who("somebody", "agent", on_shift=True)
    wrong = {}
    for number in asked:
        to = destination(number, here)
        wanted = decide(policy, who, to, NOW)
        expected = f"{int(wanted.allowed)}/{wanted.rule}"
        # What no rule could let through is not told apart: the fence says unknown, and refuses it as well.
        same = said[number] == expected or (not wanted.allowed and said[number].startswith("0/"))
        if not same:
            wrong[number] = (said[number], expected, to.kind, to.country)
    assert wrong == {}


@pytest.mark.parametrize(("strictness", "allowed"), [("everybody", "0"), ("anybody", "1")])
def test_what_only_some_may_dial_or_only_sometimes(pbx: DemoPbx, strictness: Strictness, allowed: str) -> None:
    office = Hours("Asia/Shanghai", begins=8 * 60, ends=18 * 60)
    policy = Policy(
        (
            Rule("abroad", "allow", roles=("administrator",), countries=("GB",)),
            Rule("nights", "refuse", hours=Hours("Asia/Shanghai", begins=18 * 60, ends=8 * 60), countries=("HK",)),
            Rule("office", "allow", hours=office, countries=("DE",)),
            Rule("li", "refuse", logins=("li",), countries=("CN",)),
            Rule("rest", "allow", countries=("HK", "CN")),
        )
    )
    asked = ["+442079460018", "+85223456789", "+49301234567", "+8613800138000"]
    made = dial_fence.made(policy, site("CN", policy, "e164"), strictness)
    said = ask_asterisk(pbx, made.text, asked, f"some-{strictness}")
    assert [said[number][0] for number in asked] == [allowed] * 4
    assert list(made.left_out) == ["abroad", "nights", "office", "li"]


def test_what_is_no_number_is_refused(pbx: DemoPbx) -> None:
    texts = [text for _, text in NONE_AT_ALL if text and not set(text) & set(' ,"()') and len(text) < 60]
    texts += ["*67", "1900FLOWERS", "13800138000@trunk", "1380013800x", "+", "++8613800138000", "8" * 33, "0" * 12]
    here = site("CN", DEFAULT, "e164")
    said = ask_asterisk(pbx, dial_fence.made(DEFAULT, here).text, texts, "no-numbers")
    assert {text: answer for text, answer in said.items() if not answer.startswith("0/")} == {}


# --- what goes round the server ----------------------------------------------------------------------------


@pytest.fixture
def fenced(pbx: DemoPbx) -> None:
    """The fence of the default policy again."""
    here = dial_fence.site_of(DEFAULT, "CN", "e164", ())
    (pbx.work / "etc" / FENCE).write_text(dial_fence.made(DEFAULT, here).text)
    pbx.cli("dialplan reload")


def went_out(stage: Stage, since: int) -> list[str]:
    """Channels to the trunk that were made since then. The caller's own came before."""
    rows = [m for m in stage.tape.messages[since:] if m.get("Event") == "Newchannel"]
    return [row["Channel"] for row in rows if row["Channel"].startswith("PJSIP/cti-trunk")]


@pytest.mark.usefixtures("fenced")
@pytest.mark.parametrize("number", [ABROAD, PREMIUM, "00881612345678", "16812345", "001876555123400"])
def test_a_phone_that_dials_what_is_refused_goes_nowhere(stage: Stage, number: str) -> None:
    stage.phone("1001")
    stage.network(ring_s=0.2)
    here = stage.tape.here()
    stage.dials("1001", f"9{number}", answer_s=10)
    began = stage.event("Newchannel", here, Exten=f"9{number}")
    ended = stage.event("Hangup", here, Uniqueid=began["Uniqueid"])
    assert ended["Cause"] == "21"
    assert went_out(stage, here) == []


@pytest.mark.usefixtures("fenced")
@pytest.mark.parametrize("number", [FREE, "008613800138000", "110"])
def test_a_phone_that_dials_what_is_allowed_goes_out(stage: Stage, number: str) -> None:
    stage.phone("1001")
    stage.network(ring_s=0.2)
    stage.dials("1001", f"9{number}")
    in_bridges(stage.pbx, {"1001", "cti-trunk"})


@pytest.mark.usefixtures("fenced")
@pytest.mark.parametrize(
    ("context", "exten"),
    [
        ("cti-transfer", ABROAD),
        ("cti-sent", PREMIUM),
        ("cti-pick", ABROAD),
        ("cti-return", PREMIUM),
        ("cti-invite", ABROAD),
        ("cti-dial", PREMIUM),
        ("cti-consulted", f"9{ABROAD}"),
        ("cti-phones", f"9{ABROAD}"),
        ("cti-outbound", f"9{PREMIUM}"),
    ],
)
def test_a_caller_whom_somebody_redirects_goes_nowhere(stage: Stage, context: str, exten: str) -> None:
    """The server is by-passed: a leaked secret of cti-call sends a caller into the context."""
    stage.network(ring_s=0.2)
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do([Redirect(connected["Channel"], context, exten)])
    told = stage.event("UserEvent", here, UserEvent="CTINotReached")
    assert (told["Cause"], told["Outside"], told["Channel"]) == ("57", "1", connected["Channel"])
    assert told["Rule"] in ("abroad", "unlisted", "costly")
    assert went_out(stage, here) == []


@pytest.mark.usefixtures("fenced")
def test_a_transfer_that_is_refused_comes_back(stage: Stage) -> None:
    """The caller is never harmed: who was sent where nobody may dial rings the agent again."""
    stage.network(ring_s=0.2)
    _, phone, connected = talking(stage)
    here = stage.tape.here()
    stage.do([BlindTransfer(connected["DestChannel"], "cti-transfer", ABROAD)])
    told = stage.event("UserEvent", here, UserEvent="CTINotReached")
    assert told["Number"] == ABROAD
    ringing(stage, "1002", here)
    phone.answer()
    talks(stage, "1002", here)
    assert went_out(stage, here) == []


@pytest.mark.usefixtures("fenced")
@pytest.mark.parametrize("number", [ABROAD, "+19005551234", "+870773111632"])
def test_a_consultation_and_an_invitation_that_are_refused(stage: Stage, number: str) -> None:
    stage.network(ring_s=0.2)
    _, _, connected = talking(stage)
    mine, other = connected["DestChannel"], connected["Channel"]
    here = stage.tape.here()
    stage.do(moves.consult(mine, moves.Number(number)))
    stage.event("UserEvent", here, UserEvent="CTINotReached", Cause="57")
    in_bridges(stage.pbx, {"1002", "cti-trunk"})
    here = stage.tape.here()
    stage.do(moves.open_room(mine, other, "78"))
    stage.event("ConfbridgeJoin", here, Channel=other)
    stage.do(moves.invite_number(number, "78"))
    stage.event("UserEvent", here, UserEvent="CTINotReached", Cause="57")
    assert went_out(stage, here) == []


@pytest.mark.usefixtures("fenced")
def test_click_to_dial_that_by_passes_the_server(stage: Stage) -> None:
    phone = stage.phone("1001")
    stage.network(ring_s=0.2)
    here = stage.tape.here()
    stage.do(moves.dial("PJSIP/1001", PREMIUM))
    ringing(stage, "1001", here)
    phone.answer()
    stage.event("UserEvent", here, UserEvent="CTINotReached", Cause="57")
    until(lambda: channels(stage.pbx) == [], "the phone is hung up")
    assert went_out(stage, here) == []


def test_files_without_a_fence_go_on_working(pbx: DemoPbx, stage: Stage) -> None:
    (pbx.work / "etc" / FENCE).unlink()
    pbx.cli("dialplan reload")
    assert "no existence" in pbx.cli("dialplan show cti-fence")
    phone = stage.phone("1001")
    stage.network(ring_s=0.2)
    stage.do(moves.dial("PJSIP/1001", ABROAD))
    ringing(stage, "1001", 0)
    phone.answer()
    in_bridges(stage.pbx, {"1001", "cti-trunk"})


@pytest.mark.usefixtures("fenced")
def test_an_emergency_number_that_looks_like_a_phone_goes_out(pbx: DemoPbx, stage: Stage) -> None:
    """CTI_INSIDE as it comes: 110 fits it, and was dialled as PJSIP/110."""
    site_file = pbx.work / "etc" / "cti_site.conf"
    before = site_file.read_text()
    try:
        site_file.write_text(re.sub(r"CTI_INSIDE=.*\)", "CTI_INSIDE=^[1-7][0-9]{2,4}$)", before))
        pbx.cli("dialplan reload")
        phone = stage.phone("1001")
        stage.network(ring_s=0.2)
        stage.do(moves.dial("PJSIP/1001", "110"))
        ringing(stage, "1001", 0)
        phone.answer()
        in_bridges(stage.pbx, {"1001", "cti-trunk"})
    finally:
        site_file.write_text(before)
        pbx.cli("dialplan reload")


# --- the lines of docs/dialling.md -------------------------------------------------------------------------

FREEPBX = """
[freepbx-like]
exten => _X.,1,Gosub(macro-dialout-trunk,s,1(cti-trunk,${EXTEN}))
 same => n,Hangup(34)
; As FreePBX generates it, without what has nothing to do with its hook.
[macro-dialout-trunk]
exten => s,1,Set(OUTNUM=${ARG2})
 same => n,Gosub(macro-dialout-trunk-predial-hook,s,1())
 same => n,GotoIf($["${PREDIAL_HOOK_RET}" = "BYPASS"]?bypass,1)
 same => n,Dial(PJSIP/${OUTNUM}@${ARG1},300)
 same => n,Return()
exten => bypass,1,Set(TRYALL=yes)
 same => n,Return()
"""


@pytest.mark.parametrize("there", [True, False], ids=["fence", "no fence"])
@pytest.mark.parametrize("kind", ["ini plain", "ini freepbx"])
def test_the_lines_that_ask_it_in_routes_of_ones_own(pbx: DemoPbx, stage: Stage, kind: str, there: bool) -> None:
    (lines,) = blocks(ENGLISH, kind)
    if kind == "ini plain":
        text, context, prefix = f"\n[plain-route]\n{lines.replace('@carrier', '@cti-trunk')}", "plain-route", "9"
    else:
        text, context, prefix = f"\n{FREEPBX}\n{lines}", "freepbx-like", ""
    here = dial_fence.site_of(DEFAULT, "CN", "e164", ())
    (pbx.work / "etc" / FENCE).write_text((dial_fence.made(DEFAULT, here).text if there else "") + text)
    pbx.cli("dialplan reload")
    stage.network(ring_s=0.2)
    for number, allowed in ((ABROAD, not there), (FREE, True)):
        since = stage.tape.here()
        pbx.cli(f"channel originate Local/{prefix}{number}@{context} application Wait 30")
        if allowed:
            stage.tape.wait(
                lambda m: m.get("Event") == "Newchannel" and m["Channel"].startswith("PJSIP/cti-trunk"),
                f"{number} to go out",
                since,
            )
            pbx.cli("channel request hangup all")
        until(lambda: channels(pbx) == [], "everybody has hung up")
        assert (went_out(stage, since) != []) is allowed
