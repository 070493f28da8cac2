"""The demo customers' past: cases, notes, promises and contacts. Hours count from now."""

from __future__ import annotations

from dataclasses import dataclass

from cti_server.rules.facts import PromiseKind


@dataclass(frozen=True)
class Problem:
    """A case; hours count from now. `due` before now is overdue."""

    ref: str
    number: str
    subject: str
    opened: float
    due: float | None = None
    priority: int = 3
    status: str = "open"
    closed: float | None = None


CASES = (
    Problem("P01", "CS-1001", "测量机 Z 轴报警 E-204", -52, -4, 1),
    Problem("P04", "CS-1002", "Terminal loses its network at night", -20, 28, 2),
    Problem("P06", "CS-1003", "核心路由器丢包", -70, 5, 2, "waiting"),
    Problem("P12", "CS-1004", "网关固件升级失败", -300, -260, 3, "closed", -265),
    Problem("P14", "CS-1005", "账单地址变更", -6, 66, 4),
    Problem("P33", "CS-1006", "Replacement battery not delivered", -100, 2, 2),
)


@dataclass(frozen=True)
class Owed:
    """A promise to a customer; hours count from now."""

    ref: str
    kind: PromiseKind
    text: str
    due: float
    owner: str
    made: float
    start: float | None = None
    number: str = ""


PROMISES = (
    Owed("P01", "visit", "工程师 17:00 前到现场，检查 Z 轴", 3, "chenjing", -4),
    Owed("K01", "other", "新三坐标测量机的报价", 50, "liuyang", -22),
    Owed("P04", "callback", "Call back with what the night log says", -1, "emma", -19, -2, "+447700900123"),
    Owed("P17", "callback", "Confirm the number of seats", 21, "alice", -48, 20, "+8613800138017"),
    Owed("P33", "other", "Replacement battery delivered", 26, "emma", -22),
)

NOTES = (
    ("P01", "chenjing", "现场网络不稳定，远程前先电话确认。", True),
    ("P01", "liuyang", "已寄出备件 Z-17。", False),
    ("P04", "emma", "Escalate anything at night to James on extension 14.", True),
    ("P17", "alice", "Likes a call back rather than e-mail.", True),
    ("K05", None, "Accounts: suspended until invoice 2026-118 is paid.", True),
    ("P12", "bob", "同一号码还有周丽，请先确认身份。", False),
)


@dataclass(frozen=True)
class Past:
    """A past contact. Hours count from now; `talk` is in seconds."""

    ref: str
    channel: str
    hours: float
    subject: str = ""
    agent: str | None = None
    talk: int = 0
    outcome: str = "answered"
    queue: str | None = "support"
    note: str = ""
    direction: str = "inbound"


PAST = (
    Past("P01", "voice", -52, "Z 轴报警", "chenjing", 420, note="已开工单 CS-1001，承诺 48 小时内到场。"),
    Past("P01", "visit", -26, "现场检查 Z 轴", "liuyang", note="更换限位开关，待观察。"),
    Past("P01", "email", -20, "报警再次出现", "chenjing", queue=None),
    Past("P01", "voice", -3, "催问进度", None, 0, "abandoned"),
    Past("P02", "voice", -240, "报价", "bob", 180, queue="sales"),
    Past("P04", "voice", -20, "Terminal offline", "emma", 610, note="Opened CS-1002."),
    Past("P04", "chat", -19, "Sent the log files", "emma", queue=None),
    Past(
        "P04", "voice", -18, "Call back with first findings", "emma", 240, "outbound", None, direction="outbound"
    ),
    Past("P06", "voice", -70, "丢包", "liuyang", 900, note="抓包已上传。"),
    Past("P06", "voice", -1.5, "", None, 0, "short_abandon"),
    Past("P08", "email", -30, "Why was our service suspended?", "bob", queue=None),
    Past("P10", "voice", -400, "续约咨询", "alice", 300, queue="sales"),
    Past("P12", "voice", -300, "固件升级失败", "bob", 500),
    Past("P12", "visit", -265, "更换网关", "liuyang"),
    Past("P14", "voice", -6, "账单地址", "chenjing", 130),
    Past("P17", "voice", -90, "新增席位", "alice", 260, queue="vip"),
    Past("P17", "chat", -48, "确认席位数量", "alice", queue=None),
    Past("P18", "voice", -30, "", None, 0, "no_agent"),
    Past("P21", "voice", -8, "", None, 0, "left_in_ivr", None),
    Past("P26", "sms", -12, "回访满意度：5 分", None, queue=None),
    Past("P31", "email", -60, "Invoice in euro", "emma", queue=None),
    Past("P33", "voice", -100, "Battery", "emma", 350),
    Past("P33", "voice", -22, "Where is my battery?", "bob", 200, "transferred"),
)
