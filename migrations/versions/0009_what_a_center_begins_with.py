"""What a new center begins with: service levels, reasons, wrap-up codes and a queue policy, to be changed at will.

Each table is filled only if it is empty, and once: what somebody has removed does not come back.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SERVICE_LEVELS = (
    # code, names, rank, priority in queues, minutes to react and to resolve, calendar
    ("gold", "Gold 24x7", "金牌 7x24", 1, 10, 15, 240, "24x7"),
    ("silver", "Silver 5x9", "银牌 5x9", 2, 5, 60, 480, "5x9"),
    ("bronze", "Bronze", "铜牌", 3, 2, 240, 2880, "5x9"),
)

REASONS = (
    ("break", "Break", "小休"),
    ("lunch", "Lunch", "午餐"),
    ("restroom", "Restroom", "洗手间"),
    ("meeting", "Meeting", "会议"),
    ("training", "Training", "培训"),
    ("coaching", "With my supervisor", "与主管沟通"),
    ("admin_work", "Paperwork", "处理工单"),
    ("callback", "Calling back", "回电客户"),
)

CODES = (
    ("solved", "Solved", "已解决"),
    ("followup", "Follow-up", "待跟进"),
    ("followup/callback", "Call back agreed", "约定回电"),
    ("followup/case", "Case opened", "已开工单"),
    ("followup/visit", "Visit arranged", "已约上门"),
    ("billing", "Billing", "账务"),
    ("billing/invoice", "Invoice", "发票"),
    ("billing/refund", "Refund", "退款"),
    ("billing/contract", "Contract and renewal", "合同与续约"),
    ("complaint", "Complaint", "投诉"),
    ("complaint/service", "About service", "服务投诉"),
    ("complaint/product", "About a product", "产品投诉"),
    ("no_conversation", "No conversation", "未能通话"),
    ("no_conversation/wrong_number", "Wrong number", "打错电话"),
    ("no_conversation/silent", "Nobody spoke", "无人说话"),
    ("no_conversation/hung_up", "Caller hung up", "客户挂断"),
)

POLICY = {
    "pbx": "*",
    "name": "*",
    "title_en": "",
    "title_zh": "",
    "short_abandon_ms": 5000,
    "service_level_ms": 20000,
    "wrap_up_ms": 30000,
    "wrap_up_mode": "mandatory",
    "wrap_up_code_required": False,
    "wrap_up_extensions": 2,
}


def upgrade() -> None:
    level = ("code", "name_en", "name_zh", "tier_rank", "queue_priority")
    level += ("response_minutes", "resolve_minutes", "calendar")
    _fill("service_levels", [dict(zip(level, row, strict=True)) for row in SERVICE_LEVELS])
    _fill(
        "reasons",
        [
            {"code": code, "title_en": en, "title_zh": zh, "position": place, "active": True}
            for place, (code, en, zh) in enumerate(REASONS)
        ],
    )
    _fill(
        "wrap_up_codes",
        [
            {
                "code": code,
                "parent": code.rpartition("/")[0] or None,
                "title_en": en,
                "title_zh": zh,
                "position": place,
                "active": True,
            }
            for place, (code, en, zh) in enumerate(CODES)
        ],
    )
    _insert("queues", [POLICY])


def downgrade() -> None:
    # The rest may be in use by now, and older versions know what it is.
    op.execute("DELETE FROM queues WHERE pbx = '*' AND name = '*'")


def _fill(table: str, rows: list[dict[str, Any]]) -> None:
    if not op.get_bind().scalar(sa.select(sa.func.count()).select_from(sa.table(table))):
        _insert(table, rows)


def _insert(table: str, rows: list[dict[str, Any]]) -> None:
    op.bulk_insert(sa.table(table, *(sa.column(name) for name in rows[0])), rows)
