"""What each manager's secret gives, asked of a real Asterisk: every action by name, and the functions that read.

An action that a newer Asterisk brings, or a permission more in manager_cti.conf, has no row here and fails the
test: whoever adds it says what it is for. docs/security.md has the same in words.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from cti_server.asterisk.actions import Action, Getvar
from cti_server.asterisk.session import ActionFailed, Session
from cti_server.demo.calls import place_call
from cti_server.demo.pbx import DemoPbx
from cti_server.doctor.manager.actions import ListCommands
from cti_server.settings import Account
from tests.live.center import until

pytestmark = pytest.mark.live

#: what Asterisk lets every manager's user do, whatever its permissions; no line of manager.conf takes it away
EVERYBODY = frozenset(
    (
        *("BridgeDestroy", "BridgeInfo", "BridgeKick", "BridgeList", "BridgeTechnologyList"),
        *("BridgeTechnologySuspend", "BridgeTechnologyUnsuspend", "Challenge", "Events", "ListCommands", "Login"),
        *("Logoff", "Ping", "QueueChangePriorityCaller", "QueueReload", "QueueReset", "QueueRule", "QueueStatus"),
        *("QueueSummary", "QueueWithdrawCaller", "WaitEvent"),
    )
)
#: what `call` and `reporting` share
LOOKING = frozenset(
    (
        *("DeviceStateList", "ExtensionState", "ExtensionStateList", "Getvar", "MailboxCount", "MailboxStatus"),
        *("PresenceState", "PresenceStateList", "Status"),
    )
)
MORE = {
    "cti-events": LOOKING
    | {
        *("ConfbridgeList", "ConfbridgeListRooms", "CoreSettings", "CoreShowChannelMap", "CoreShowChannels"),
        *("CoreStatus", "DBGet", "DBGetTree", "LoggerRotate", "PJSIPQualify", "PJSIPRegister"),
        *("PJSIPShowMaintenance", "PJSIPShowRegistrationsOutbound", "PJSIPUnregister", "ShowDialPlan"),
    },
    "cti-agent": {
        *("QueueAdd", "QueueLog", "QueueMemberRingInUse", "QueuePause", "QueuePenalty", "QueueRemove"),
    },
    "cti-call": LOOKING
    | {
        *("AbsoluteTimeout", "Atxfer", "BlindTransfer", "Bridge", "CancelAtxfer", "ConfbridgeKick"),
        *(
            "ConfbridgeLock",
            "ConfbridgeMute",
            "ConfbridgeSetSingleVideoSrc",
            "ConfbridgeUnlock",
            "ConfbridgeUnmute",
        ),
        *(
            "ControlPlayback",
            "Hangup",
            "LocalOptimizeAway",
            "MixMonitorMute",
            "PJSIPHangup",
            "Park",
            "ParkedCalls",
        ),
        *("Parkinglots", "PlayDTMF", "PlayMF", "Redirect", "SendFlash", "SendText", "Setvar", "StopMixMonitor"),
    },
    "cti-originate": {"Originate"},
}
#: function → what it gives here, where none that reads files is loaded: nothing, or what the server needs
READS = {
    "CURL(file:///etc/passwd)": None,
    "AST_CONFIG(manager.conf,cti-originate,secret)": None,
    "AST_SORCERY(res_pjsip,auth,1001-auth,password)": None,
    "FILE(/etc/passwd,0,20)": None,
    "SHELL(id)": None,
    "EVAL(${CURL(file:///etc/passwd)})": None,
    "STAT(e,/etc/passwd)": None,
    "IFMODULE(func_curl.so)": "0",
    "DIALPLAN_EXISTS(cti-room,1,1)": "1",
    "HINT(1001@cti-phones)": "PJSIP/${EXTEN}",
}


@dataclass(frozen=True, slots=True)
class StatusWith(Action):
    """All channels, each with what these functions say of it."""

    name = "Status"
    is_list = True
    variables: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Variables", self.variables)]


async def signed_in(pbx: DemoPbx, user: str) -> Session:
    account = Account(user=user, secret=SecretStr(pbx.config.secrets[user]))
    return await Session.open("127.0.0.1", pbx.config.ami_port, account)


@pytest.mark.parametrize("user", MORE)
async def test_each_secret_gives_what_its_row_says_and_nothing_else(demo_pbx: DemoPbx, user: str) -> None:
    session = await signed_in(demo_pbx, user)
    answer = await session.ask(ListCommands())
    session.close()
    given = set(answer.response.headers) - {"Response", "ActionID"}
    assert given - EVERYBODY == MORE[user]
    assert given >= EVERYBODY


@pytest.mark.parametrize("user", MORE)
async def test_no_secret_reads_a_file_or_a_password(demo_pbx: DemoPbx, user: str) -> None:
    session = await signed_in(demo_pbx, user)
    may_ask = "Getvar" in MORE[user]
    for question, wanted in READS.items():
        try:
            said = (await session.ask(Getvar(question))).response.get("Value") or None
        except ActionFailed:
            said = None
        assert said == (wanted if may_ask else None), (user, question)
    session.close()


async def test_nor_by_asking_for_the_channels(demo_pbx: DemoPbx) -> None:
    session = await signed_in(demo_pbx, "cti-events")
    with place_call(demo_pbx, "13800138000", "4008005000"):
        functions = "CURL(file:///etc/passwd),AST_CONFIG(manager.conf,cti-originate,secret),CHANNEL(state)"

        async def listed() -> list[str]:
            rows = (await session.ask(StatusWith(functions))).rows
            return [text for row in rows for text in row.all("Variable")]

        said = await until(listed, "a channel")
    session.close()
    assert [text for text in said if text.startswith(("CURL", "AST_CONFIG")) and not text.endswith("=")] == []
    assert any(text in ("CHANNEL(state)=Up", "CHANNEL(state)=Ring") for text in said), "it does say what it may"
