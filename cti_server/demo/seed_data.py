"""The people of the demo: agents, queues, lines, service levels, and customers with a story each. Days count
from today.
"""

from __future__ import annotations

from dataclasses import dataclass

from cti_server.record.center.queues import Queue
from cti_server.rules.facts import ContractStatus, CustomerKind, DeskLanguage, Line, Role, ServiceLevel

DEMO_PASSWORD = "cti-demo-2026"  # noqa: S105 the demo prints it at the sign-in
"""What every demo agent signs in with."""


@dataclass(frozen=True)
class Login:
    """A demo agent. `extension` is that of their phone, if they have one; `queues` are separated by spaces."""

    login: str
    name: str
    role: Role
    language: DeskLanguage
    extension: str | None = None
    queues: str = ""
    skills: tuple[tuple[str, int], ...] = ()
    may_pick: bool = False


# The queues of an agent are those that list them in dialplans/queues_cti.conf, and `night`, joined by signing in.
LOGINS = (
    Login("alice", "Alice Walker", "agent", "browser", "1001", "support vip freepbx night", (("hardware", 10),)),
    Login("bob", "Bob Miller", "agent", "browser", "1002", "support sales vip freepbx night", (("hardware", 10),)),
    Login("chenjing", "陈静", "agent", "browser", "1003", "support vip", (("hardware", 9),), may_pick=True),
    Login("liuyang", "刘洋", "agent", "browser", "1004", "sales vip night"),
    Login("emma", "Emma Clarke", "agent", "browser", "1005", "sales vip"),
    Login("susan", "Susan Wright", "supervisor", "browser"),
    Login("admin", "Administrator", "administrator", "browser"),
)


def queues(pbx: str) -> tuple[Queue, ...]:
    """The queues of the demo PBX."""
    return (
        Queue(0, pbx, "support", "Support", "技术支持", wrap_up_ms=60000, skill="hardware"),
        Queue(
            0,
            pbx,
            "sales",
            "Sales",
            "销售咨询",
            wrap_up_ms=45000,
            wrap_up_mode="forced",
            wrap_up_code_required=True,
            wrap_up_extensions=1,
        ),
        Queue(0, pbx, "vip", "VIP", "贵宾专线", service_level_ms=10000, wrap_up_ms=60000),
        Queue(0, pbx, "freepbx", "FreePBX style", "FreePBX 队列", wrap_up_mode="optional"),
        Queue(0, pbx, "night", "Night desk", "夜间值班"),
    )


LINES = (
    Line(0, "+864008001000", "4008001000", "CN", "Support line", "服务热线", "zh", "support"),
    Line(0, "+864008002000", "4008002000", "CN", "Sales line", "销售热线", "zh", "sales"),
    Line(0, "+864008003000", "4008003000", "CN", "VIP line", "贵宾热线", "zh", "vip"),
    Line(0, "+864008004000", "4008004000", "CN", "Direct support line", "服务专线", "zh", "support"),
    Line(0, "+864008005000", "4008005000", "CN", "Night line", "夜间热线", "zh", "night"),
    Line(0, "+442079460100", "+442079460100", "GB", "London support", "伦敦服务线", "en", "support"),
)

SERVICE_LEVELS = (
    ServiceLevel(0, "gold", "Gold 24x7", "金牌 7x24", 1, 10, 15, 240, "24x7"),
    ServiceLevel(0, "silver", "Silver 5x9", "银牌 5x9", 2, 5, 60, 480, "5x9"),
    ServiceLevel(0, "bronze", "Bronze", "铜牌", 3, 2, 240, 2880, "5x9"),
)


@dataclass(frozen=True)
class Cover:
    """A contract from `starts` to `ends`, in days from today; `minutes` are (total, used)."""

    level: str
    starts: int
    ends: int | None
    status: ContractStatus = "active"
    reason: str | None = None
    minutes: tuple[int, int] | None = None


@dataclass(frozen=True)
class Who:
    """A demo customer. `phones` are in E.164, with `x801` for an extension; `company` is the `ref` of another."""

    ref: str
    name: str
    phones: str = ""
    company: str = ""
    title: str = ""
    tier: str = ""
    language: str = "zh"
    cover: Cover | None = None
    email: str = ""
    remarks: str = ""
    agent: str = ""
    products: tuple[str, ...] = ()

    @property
    def kind(self) -> CustomerKind:
        return "company" if self.ref.startswith("K") else "person"


COVERED = Cover("gold", -200, 165)

CUSTOMERS = (
    Who(
        "K01",
        "上海申江精密仪器有限公司",
        "+862162881234",
        tier="gold",
        cover=COVERED,
        products=("三坐标测量机 SJ-900", "激光干涉仪 L2"),
    ),
    Who(
        "P01",
        "王建国",
        "+862162881234x801 +8613800138001",
        "K01",
        "设备部经理",
        "gold",
        email="wang.jianguo@shenjiang.example",
        remarks="说话快，先确认机器编号。",
    ),
    Who("P02", "李秀英", "+862162881234x802 +8613800138002", "K01", "采购主管", "gold"),
    Who("P03", "张伟", "+862162881234x806", "K01", "质检员"),
    Who(
        "K02",
        "Harbour Logistics Ltd",
        "+442079460958",
        tier="silver",
        language="en",
        cover=Cover("silver", -340, 21),
        products=("Dispatch terminal DT-4",),
    ),
    Who(
        "P04",
        "Emily Carter",
        "+442079460958x12 +447700900123",
        "K02",
        "Operations manager",
        "silver",
        "en",
        email="emily.carter@harbour.example",
        agent="emma",
        remarks="Prefers mornings, London time.",
    ),
    Who("P05", "James O'Neil", "+442079460958x14 +447700900145", "K02", "Night shift lead", "", "en"),
    Who(
        "K03",
        "北京蓝海网络科技有限公司",
        "+861065521234",
        tier="silver",
        cover=Cover("silver", -100, 265, minutes=(1200, 1110)),
        products=("边缘路由器 R-210", "无线控制器 AC-8"),
    ),
    Who("P06", "赵敏", "+8613800138006", "K03", "运维总监", "silver", email="zhaomin@lanhai.example"),
    Who("K04", "深圳市前海智造有限公司", "+8675528780808", cover=Cover("bronze", -60, 305, minutes=(600, 600))),
    Who("P07", "黄志强", "+8613800138007", "K04", "车间主任"),
    Who(
        "K05",
        "Northwind Clinics",
        "+442079460420",
        tier="gold",
        language="en",
        cover=Cover("gold", -300, 65, "suspended", "Invoice 2026-118 is 40 days overdue"),
    ),
    Who("P08", "Olivia Bennett", "+447700900208", "K05", "Practice manager", "", "en"),
    Who("K06", "成都锦里餐饮管理有限公司", "+862887654321", cover=Cover("bronze", 10, 375)),
    Who("P09", "刘芳", "+8613800138009", "K06", "店长"),
    Who("K07", "广州南粤物流有限公司", "+862083331234", cover=Cover("silver", -400, -12)),
    Who("P10", "陈志明", "+8613800138010", "K07", "IT 经理", email="chen.zm@nanyue.example"),
    Who(
        "K08",
        "Blue Kettle Cafés",
        "+442079460777",
        language="en",
        cover=Cover("bronze", -500, 100, "cancelled", "Moved to another supplier"),
    ),
    Who("P11", "Sophie Turner", "+447700900311", "K08", "Owner", "", "en"),
    Who(
        "P12",
        "周杰",
        "+8613800138012",
        tier="gold",
        cover=Cover("gold", -30, None),
        agent="liuyang",
        products=("家庭网关 H1",),
    ),
    Who("P13", "周丽", "+8613800138012", remarks="周杰的妻子，同一个号码。"),
    Who("P14", "吴桂兰", "+8613800138014 +861088886666", cover=Cover("bronze", -365, -1)),
    Who("P15", "Daniel Hughes", "+447700900415", language="en", tier="silver", cover=Cover("silver", -10, 355)),
    Who("P16", "Amelia Hughes", "+447700900415", language="en"),
    Who(
        "P17",
        "孙悦",
        "+8613800138017",
        tier="vip",
        cover=Cover("gold", -90, 275),
        agent="alice",
        remarks="贵宾，请直接称呼孙总。",
    ),
    Who("P18", "马超", "+8613800138018", cover=Cover("silver", -90, 3)),
    Who("P19", "朱婷", "+8613800138019", cover=Cover("bronze", -20, 345, minutes=(300, 45))),
    Who("P20", "胡军", "+8613800138020", cover=Cover("gold", -700, -335)),
    Who("P21", "林晓", "+8613800138021"),
    Who("P22", "何静", "+8613800138022"),
    Who("P23", "高翔", "+8613800138023", cover=Cover("silver", -50, 315)),
    Who("P24", "罗敏", "+8613800138024"),
    Who("P25", "郭涛", "+8613800138025", cover=Cover("bronze", -50, 315, "suspended", "等待付款")),
    Who("P26", "欧阳娜娜", "+8613800138026", tier="silver", cover=Cover("silver", -5, 360)),
    Who("P27", "Grace Lee 李恩典", "+8613800138027 +447700900527", language="en", email="grace.lee@example.com"),
    Who("P28", "Thomas Wright", "+447700900528", language="en"),
    Who("P29", "Charlotte Evans", "+447700900529", language="en", cover=Cover("bronze", -80, 285)),
    Who("P30", "George Patel", "+447700900530", language="en"),
    Who("P31", "José Álvarez", "+34911234567", language="en", cover=Cover("silver", -80, 285)),
    Who("P32", "山田太郎", "+81312345678", language="en"),
    Who("P33", "Fatima Khan", "+447700900533", language="en", tier="gold", cover=Cover("gold", -15, 350)),
)

CALLERS = {
    "covered": "13800138001",
    "gold": "+447700900533",
    "vip": "13800138017",
    "ending": "13800138018",
    "expired": "13800138010",
    "suspended": "+447700900208",
    "hours-left": "13800138006",
    "hours-spent": "13800138007",
    "not-started": "13800138009",
    "cancelled": "+447700900311",
    "no-contract": "13800138021",
    "shared": "13800138012",
    "switchboard": "02162881234",
    "english": "+447700900123",
    "unknown": "13900001111",
}
"""The callers that `make call` knows: what is special about each, and the number as their carrier sends it."""
