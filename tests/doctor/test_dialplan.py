"""What the doctor reads from a dialplan, and where a number gets to in it."""

from __future__ import annotations

import pytest

from cti_server.doctor.dialplan import called
from cti_server.doctor.dialplan.follow import Reached, follow
from cti_server.doctor.dialplan.plan import Dialplan, pattern
from cti_server.doctor.dialplan.steps import substitute
from cti_server.doctor.pbx.desk import with_leg
from cti_server.wire.ami import Message


class Plan(Dialplan):
    def follow(self, context: str, extension: str) -> Reached:
        return follow(self, context, extension)

    def said(self, *roots: str) -> list[tuple[str, str]]:
        """Code and remedy of what is found of its calls."""
        return [(finding.code, finding.remedy or "") for finding in called.examine("x", self, roots)]


def dialplan(text: str) -> Plan:
    """Extensions as extensions.conf has them; ShowDialPlan lists each step as one row."""
    rows, context, extension, priority = [], "", "", 0
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith("["):
            context = line[1:-1]
            continue
        name, _, rest = (part.strip() for part in line.partition("=>"))
        if name == "include":
            rows.append(f"Context: {context}\r\nIncludeContext: {rest}")
            continue
        if name == "exten":
            extension, _, rest = rest.partition(",")
            priority = 0
        label = ""
        _, _, application = rest.partition(",")
        if "(" in rest.partition(",")[0]:
            label = f"ExtensionLabel: {rest.partition(',')[0].partition('(')[2].rstrip(')')}\r\n"
        priority += 1
        app, _, data = application.partition("(")
        step = f"{label}Application: {app}\r\nAppData: {data.removesuffix(')')}"
        rows.append(f"Context: {context}\r\nExtension: {extension}\r\nPriority: {priority}\r\n{step}")
    return Plan(Message(f"Event: ListDialplan\r\n{row}".encode()) for row in rows)


ASKED = """
[from-trunk]
exten => 4008001000,1,Goto(line,support,1)
[line]
exten => _[a-z]!,1,Gosub(cti-identify,s,1)
same => n,Queue(${EXTEN},t)
[cti-identify]
exten => s,1,AGI(agi://127.0.0.1:4573/identify?pbx=main)
"""


def test_a_line_that_asks_before_it_queues() -> None:
    plan = dialplan(ASKED)
    reached = plan.follow("from-trunk", "4008001000")
    assert reached.asked
    assert reached.unasked == []
    assert [str(place) for place in called.askers(plan)] == ["_[a-z]!@line"]


def test_a_line_that_queues_first_is_named_with_its_queue() -> None:
    reached = dialplan(
        """
        [from-trunk]
        exten => 100,1,Queue(sales,t)
        same => n,Gosub(cti-identify,s,1)
        """
    ).follow("from-trunk", "100")
    assert reached.unasked == [("from-trunk", "100", "sales")]


def test_both_ways_of_a_condition_are_gone() -> None:
    reached = dialplan(
        """
        [from-trunk]
        exten => 100,1,GotoIf($["${X}" = "1"]?asked,1:unasked,1)
        exten => asked,1,Gosub(cti-identify,s,1)
        same => n,Queue(one)
        exten => unasked,1,Queue(two)
        [cti-identify]
        exten => s,1,AGI(agi://127.0.0.1:4573/identify?pbx=main)
        """
    ).follow("from-trunk", "100")
    assert reached.asked
    assert reached.unasked == [("from-trunk", "unasked", "two")]


def test_asking_inside_a_subroutine_counts_for_what_follows_it() -> None:
    """As FreePBX writes a Custom Destination that returns."""
    reached = dialplan(
        """
        [customdests]
        exten => dest-1,1,Gosub(cti-freepbx,s,1())
        same => n,Goto(ext-queues,600,1)
        [cti-freepbx]
        exten => s,1,Gosub(cti-identify,s,1)
        same => n,Return()
        [ext-queues]
        exten => 600,1,Queue(600,t,,,,,,)
        [cti-identify]
        exten => s,1,AGI(agi://127.0.0.1:4573/identify?pbx=main)
        """
    ).follow("customdests", "dest-1")
    assert reached.asked
    assert reached.unasked == []


def test_keys_of_an_ivr_are_followed_and_includes_searched() -> None:
    reached = dialplan(
        """
        [from-trunk]
        include => lines
        [lines]
        exten => _100X,1,Goto(ivr,s,1)
        [ivr]
        exten => s,1,Background(hello)
        exten => 1,1,Queue(support)
        """
    ).follow("from-trunk", "1001")
    assert reached.unasked == [("ivr", "1", "support")]


def test_a_label_is_a_place_to_begin() -> None:
    reached = dialplan(
        """
        [a]
        exten => 1,1,Goto(b,2,wait)
        [b]
        exten => 2,1,Gosub(cti-identify,s,1)
        same => n(wait),Queue(support)
        """
    ).follow("a", "1")
    assert reached.unasked == [("b", "2", "support")]


def test_a_loop_ends() -> None:
    reached = dialplan("[a]\nexten => s,1,Goto(b,s,1)\n[b]\nexten => s,1,Goto(a,s,1)").follow("a", "s")
    assert not reached.asked


def test_a_target_that_only_the_running_call_knows_is_lost_not_guessed() -> None:
    reached = dialplan("[a]\nexten => s,1,Goto(${WHERE},s,1)").follow("a", "s")
    assert not reached.asked
    assert reached.unasked == []
    assert reached.ends == ("a", "s")


@pytest.mark.parametrize(
    ("text", "number", "matches"),
    [
        ("_9NXX.", "92001", True),
        ("_9NXX.", "9200", False),
        ("_1[01]0[1-5]", "1103", True),
        ("_1[01]0[1-5]", "1203", False),
        ("_+X.", "+44207", True),
        ("_[a-z]!", "support", True),
        ("_*8X.", "*81001", True),
        ("_Z", "0", False),
    ],
)
def test_patterns(text: str, number: str, matches: bool) -> None:
    assert bool(pattern(text).fullmatch(number)) is matches


def test_what_is_known_of_a_number_is_put_in() -> None:
    assert substitute("${FILTER(0-9,${EXTEN})},1", "+4420") == "4420,1"
    assert substitute("PJSIP/${EXTEN:1}@${TRUNK}", "9123") == "PJSIP/123@${TRUNK}"


# --- what a number may meet on its way ----------------------------------------------------------------------

SAFE = "GosubIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1)"
IDENTIFY = "[cti-identify]\nexten => s,1,AGI(agi://127.0.0.1:4573/identify?pbx=main)\n"


def reached(text: str, extension: str = "100") -> Reached:
    return dialplan(f"[in]\n{text}\n{IDENTIFY}").follow("in", extension)


@pytest.mark.parametrize(
    "text",
    [
        "exten => 100,1,GotoIfTime(9:00-17:00,mon-fri,*,*?open,1:shut,1)",
        "exten => 100,1,GotoIfTime(9:00-17:00,mon-fri,*,*,Asia/Shanghai?open,1)\nsame => n,Goto(shut,1)",
        "exten => 100,1,ExecIfTime(9:00-17:00,mon-fri,*,*?Goto(open,1))",
        "exten => 100,1,ExecIf($[${X} = 1]?Goto(open,1):Goto(shut,1))",
        "exten => 100,1,Read(digit,menu,1)\nsame => n,GotoIf($[${digit} = 1]?open,1:shut,1)",
        "exten => 100,1,While($[${N} < 3])\nsame => n,Background(menu)\nsame => n,EndWhile()",
        "exten => 100,1,Dial(PJSIP/1,20,G(in^open^1))",
        "exten => 100,1,Goto(o${X},1)",
        "exten => 100,1,TryExec(Goto(open,1))",
    ],
)
@pytest.mark.parametrize("asking", ["Gosub(cti-identify,s,1)", SAFE])
def test_branches_that_people_use_are_followed(text: str, asking: str) -> None:
    branches = f"exten => open,1,{asking}\nsame => n,Queue(support)\nexten => shut,1,Hangup()"
    found = reached(f"{text}\n{branches}")
    assert (found.asked, found.unasked, found.broken) == (True, [], [])


def test_a_menu_by_read_leads_to_every_extension_that_its_key_may_mean() -> None:
    found = reached(
        "exten => 100,1,Read(key,menu,1)\nsame => n,Goto(menu,k-${key},1)\n"
        "[menu]\nexten => k-1,1,Queue(sales)\nexten => k-2,1,Queue(support)\nexten => other,1,Queue(vip)"
    )
    assert sorted(queue for _, _, queue in found.unasked) == ["sales", "support"]


def test_a_queue_behind_a_condition_is_a_queue() -> None:
    assert reached("exten => 100,1,ExecIf($[1]?Queue(support,t):Queue(sales,t))").unasked == [
        ("in", "100", "support"),
        ("in", "100", "sales"),
    ]
    own = "exten => 100,1,GosubIf($[${DIALPLAN_EXISTS(cti-queue,s,1)}]?cti-queue,s,1(support,120))"
    assert reached(own).unasked == [("in", "100", "support")]


def test_a_ring_group_that_asks_nobody_is_no_queue() -> None:
    found = reached("exten => 100,1,Dial(PJSIP/1001&PJSIP/1002,20)")
    assert (found.asked, found.unasked, found.rung) == (False, [], [("in", "100")])
    assert not reached(f"exten => 100,1,{SAFE}\nsame => n,Dial(PJSIP/1001,20)").rung


def test_what_follows_a_hangup_is_reached_by_its_label_only() -> None:
    found = reached(f"exten => 100,1,{SAFE}\nsame => n,Queue(support)\nsame => n,Hangup()\nsame => n,Queue(vip)")
    assert (found.asked, found.unasked) == (True, [])


def test_macros_and_deep_includes_as_freepbx_has_them() -> None:
    plan = dialplan(
        f"""
        [from-trunk]
        include => from-pstn
        [from-pstn]
        include => ext-did
        [ext-did]
        include => ext-did-0002
        [ext-did-0002]
        exten => 4008001000,1,Set(__FROM_DID=4008001000)
        same => n,Gosub(sub-record-check,s,1(in))
        same => n,Goto(timeconditions,1,1)
        [sub-record-check]
        exten => s,1,Return()
        [timeconditions]
        exten => 1,1,GotoIfTime(09:00-17:00,mon-fri,*,*?truestate)
        same => n(falsegoto),Goto(app-announcement-1,s,1)
        same => n(truestate),GotoIf($["${{DB(TC/1)}}" = "false"]?falsegoto)
        same => n(truegoto),Goto(ivr-1,s,1)
        [app-announcement-1]
        exten => s,1,Playback(closed)
        same => n,Goto(app-blackhole,hangup,1)
        [app-blackhole]
        exten => hangup,1,Hangup()
        [ivr-1]
        exten => s,1,Background(custom/welcome)
        same => n,WaitExten(10,)
        exten => 1,1,Goto(customdests,dest-1,1)
        exten => 2,1,Goto(ext-queues,601,1)
        [customdests]
        exten => dest-1,1,Gosub(cti-freepbx,s,1())
        same => n,Goto(ext-queues,600,1)
        [cti-freepbx]
        exten => s,1,{SAFE}
        same => n,Return()
        [ext-queues]
        exten => 600,1,Macro(user-callerid,)
        same => n,Queue(600,t,,,,,,,,)
        exten => 601,1,Macro(user-callerid,)
        same => n,Queue(601,t,,,,,,,,)
        [macro-user-callerid]
        exten => s,1,NoOp()
        {IDENTIFY}"""
    )
    found = plan.follow("from-trunk", "4008001000")
    assert (found.asked, found.unasked, found.broken) == (True, [("ext-queues", "601", "601")], [])


# --- what is called, and is not there -----------------------------------------------------------------------


def test_a_call_of_what_is_not_there_is_named_with_the_file_that_brings_it() -> None:
    plan = dialplan("[in]\nexten => 100,1,Gosub(cti-identify,s,1)\nsame => n,Queue(support,t)")
    assert plan.said("in")[0][0] == "called.missing"
    assert plan.said("in")[0][1].startswith("#tryinclude extensions_cti.conf   in extensions.conf")
    assert not plan.follow("in", "100").asked
    assert (
        dialplan(f"[in]\nexten => 100,1,{SAFE}\nsame => n,Queue(support,t)").said("in")[0][0] == "dialplan.absent"
    )


def test_a_misspelt_name_is_written_right_in_the_remedy() -> None:
    plan = dialplan(f"[in]\nexten => 100,1,Answer()\nsame => n,Gosub(cti-identfy,s,1)\n{IDENTIFY}")
    code, remedy = plan.said("in")[0]
    assert code == "called.missing"
    assert remedy.startswith(f"same => n,{SAFE}   in [in], extension 100")


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        ("Gosub(cti-identify,s,1)", SAFE),
        ("Gosub(cti-queue,s,1(a,9))", "GosubIf($[${DIALPLAN_EXISTS(cti-queue,s,1)}]?cti-queue,s,1(a,9))"),
    ],
)
def test_a_call_that_does_not_look_first_is_named_with_one_that_does(written: str, safe: str) -> None:
    ours = "[cti-queue]\nexten => s,1,Return()\n[cti-leg]\nexten => s,1,Return()\n"
    said = dialplan(f"[in]\nexten => 100,1,Answer()\nsame => n,{written}\n{IDENTIFY}{ours}").said("in")
    assert said[0] == (
        "called.unsafe",
        f'same => n,{safe}   in [in], extension 100, in place of priority 2; then: asterisk -rx "dialplan reload"',
    )
    assert not [
        code
        for code, _ in dialplan(f"[in]\nexten => 100,1,Answer()\nsame => n,{safe}\n{IDENTIFY}{ours}").said("in")
        if code == "called.unsafe"
    ]


def test_a_queue_with_what_its_legs_need() -> None:
    plan = dialplan("[in]\nexten => 100,1,Queue(a,Ct,,,60)\nexten => 200,1,Queue(b)")
    assert [with_leg(plan, place) for place in plan.places()] == [
        "Queue(a,Ctkb(cti-leg^s^1),,,60)",
        "Queue(b,tkb(cti-leg^s^1))",
    ]


def test_looking_first_may_be_an_earlier_step() -> None:
    plan = dialplan(
        "[in]\nexten => 100,1,GotoIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?:own)\n"
        f"same => n,Gosub(cti-identify,s,1)\nsame => n(own),Queue(support,t)\n{IDENTIFY}"
    )
    assert [code for code, _ in plan.said("in")] == ["dialplan.calls"]


def test_asking_after_the_queue_or_where_no_call_comes_is_named() -> None:
    late = dialplan(f"[in]\nexten => 100,1,Queue(support,t)\nsame => n,{SAFE}\n{IDENTIFY}")
    assert late.said("in")[0][0] == "dialplan.too_late"
    again = dialplan(f"[in]\nexten => 100,1,{SAFE}\nsame => n,Queue(support)\nsame => n,{SAFE}\n{IDENTIFY}")
    assert [code for code, _ in again.said("in")] == ["dialplan.calls"]
    dead = dialplan(f"[nobody]\nexten => 100,1,{SAFE}\n{IDENTIFY}")
    assert [code for code, _ in dead.said()] == ["dialplan.dead"]
    assert [code for code, _ in dead.said("nobody")] == ["dialplan.calls"]
