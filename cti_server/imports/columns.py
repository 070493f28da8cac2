"""The columns of a customer file: what the record takes, and by which names it is asked for in both languages."""

from __future__ import annotations

from typing import Final

from cti_server.record.crm import customers
from cti_server.rules.facts import Customer, texts_of

COLUMNS: dict[str, tuple[str, ...]] = {
    "external_ref": ("customer id", "customer no", "customer number", "客户编号", "客户号", "编号"),
    "kind": ("type", "customer type", "类型", "客户类型"),
    "name": ("full name", "customer name", "customer", "姓名", "名称", "客户名称", "客户姓名", "客户"),
    "given_name": ("first name", "名"),
    "family_name": ("last name", "surname", "姓", "姓氏"),
    "company": ("company name", "organisation", "organization", "公司", "公司名称", "单位", "所属公司"),
    "role_title": ("role", "title", "job title", "position", "职务", "职位"),
    "salutation": ("form of address", "称呼", "称谓"),
    "phone": ("telephone", "tel", "phones", "phone number", "phone 1", "电话", "电话号码", "联系电话", "电话1"),
    "phone_2": ("telephone 2", "tel 2", "电话2"),
    "phone_3": ("telephone 3", "tel 3", "电话3"),
    "mobile": ("mobile phone", "cell", "手机", "手机号", "手机号码"),
    "email": ("e-mail", "mail", "email address", "邮箱", "电子邮箱", "电子邮件", "邮件"),
    "tier": ("level", "grade", "等级", "客户等级", "级别"),
    "language": ("lang", "语言"),
    "time_zone": ("timezone", "时区"),
    "preferred_agent": ("agent", "account agent", "专属坐席", "坐席"),
    "remarks": ("remark", "comment", "comments", "备注"),
    "contract_number": ("contract", "contract no", "合同", "合同号", "合同编号"),
    "service_level": ("sla", "contract service level", "服务等级", "服务级别", "服务水平"),
    "contract_starts_on": ("contract start", "starts on", "start date", "合同开始", "合同开始日期", "开始日期"),
    "contract_ends_on": (
        "contract end",
        "ends on",
        "end date",
        "合同结束",
        "合同结束日期",
        "合同到期日",
        "结束日期",
        "到期日期",
    ),
    "contract_status": ("contract state", "合同状态"),
    "contract_minutes_total": ("contract minutes", "minutes total", "合同分钟数", "总分钟数"),
    "contract_minutes_used": ("minutes used", "已用分钟数"),
}
"""Each column's own name, and the other names by which it is accepted; `headings` knows more of them."""
RULED = ("external_ref", "tier", "language", "time_zone", "remarks")
"""The texts of a customer for which `rows` has a rule each."""
TEXTS = [name for name in texts_of(Customer) if name in customers.EDITABLE and name not in RULED]
"""The texts of a customer that are taken as they stand. A field added to Customer is accepted here by its name."""
COLUMNS |= {name: () for name in TEXTS if name not in COLUMNS}
REQUIRED = {
    "external_ref": "by which your own system knows the customer, so that a second import finds them again",
    "name": "of the person or company",
}
NAME_PARTS: Final = ("given_name", "family_name")
"""What a name may be put together from."""
DATES: Final = ("contract_starts_on", "contract_ends_on")
SEVERAL: Final = ("phone", "mobile", "email")
"""Columns that take several values, so that several headings may mean them."""


class WrongFile(ValueError):
    """The file cannot be imported at all; the message says why and what to do."""
