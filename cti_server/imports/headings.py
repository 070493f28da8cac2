"""What headings mean in the files that other systems write: Salesforce, HubSpot, Zoho, Zendesk, Freshdesk,
Zammad, Outlook, Google, FreePBX, VitalPBX, Yeastar, Wazo, 金蝶, 用友, 钉钉, 企业微信, 纷享销客, and people.

A heading has one meaning, none that is wanted here, or several: then somebody is asked.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import lru_cache
from typing import Final

from cti_server.imports.columns import COLUMNS

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "external_ref": (
        "client id", "client no", "contact id", "account id", "record id", "user id", "customer ref",
        "customer code", "account number", "account no", "crm id", "external id", "unique external id",
        "lead id", "户号", "id", "客户id", "客户编码", "客户代码", "会员编号", "会员号", "用户编号", "档案编号",
    ),
    "name": (
        "display name", "contact name", "client name", "contact", "联系人", "联系人姓名", "客户全称",
        "用户姓名", "名字", "户名", "客户简称",
    ),
    "given_name": ("given name", "fname", "forename", "firstname"),
    "family_name": ("family name", "lname", "lastname"),
    "company": (
        "account name", "account", "organization name", "organisation name", "organization 1 name", "employer",
        "associated company", "primary company", "society", "business name", "单位名称", "公司全称", "企业名称",
        "企业", "所属客户", "工作单位", "所在单位", "所属单位",
    ),
    "role_title": ("organization title", "organization 1 title", "job", "job function", "岗位", "职称"),
    "salutation": ("name prefix", "honorific", "尊称"),
    "phone": (
        "business phone", "business phone 2", "home phone", "home phone 2", "other phone", "primary phone",
        "company phone", "company main phone", "work phone", "office phone", "office number", "home number",
        "other number", "telephone number", "tel no", "business number", "business number 2", "landline",
        "work", "home", "main phone", "phone home", "phone work", "home 2", "business", "business 2",
        "officenumber", "homenumber", "othernumber", "固定电话", "固话", "座机", "座机号", "座机号码",
        "办公电话", "公司电话", "单位电话", "家庭电话", "住宅电话", "其他电话", "联系方式", "客户电话",
        "联系人电话", "电话号", "工作电话", "总机", "来电号码", "备用电话",
    ),
    "mobile": (
        "cell phone", "cellphone", "mobile number", "mobilenumber", "mobile no", "mobile 2", "car phone",
        "handphone", "移动电话", "联系手机", "手机1", "手机2", "联系人手机", "手机(必填)", "手机号(必填)",
        "备用手机",
    ),
    "email": (
        "primary email", "secondary email", "email 2", "work email", "e-mail address", "e-mail 2 address",
        "e-mail 3 address", "email addresses", "additional emails", "电邮", "邮箱地址", "工作邮箱", "个人邮箱",
        "企业邮箱", "邮件地址", "电子邮件地址", "email地址",
    ),
    "tier": ("customer level", "customer tier", "vip level", "客户级别", "会员等级", "会员级别", "vip等级"),
    "language": ("preferred language", "locale", "首选语言"),
    "preferred_agent": ("客服", "专属客服"),
    "remarks": ("notes", "note", "description", "说明", "备注信息", "客户备注", "描述"),
    "contract_number": (
        "contract number", "contract id", "agreement number", "合约编号", "协议编号", "合同编码", "合同id",
    ),
    "service_level": ("support level", "service plan", "support plan", "entitlement", "服务套餐"),
    "contract_starts_on": (
        "contract start date", "start on", "effective date", "valid from", "开始日", "起始日期", "起始日",
        "生效日期", "生效日", "生效时间", "合同起始日期", "合同起始日", "合同生效日期", "合同开始时间",
        "服务开始", "服务开始日期", "服务起始日期",
    ),
    "contract_ends_on": (
        "contract end date", "end on", "expiry", "expiry date", "expiration date", "expires on", "expires",
        "valid to", "valid until", "valid till", "due date", "到期日", "到期时间", "截止日期", "截止日",
        "截止时间", "终止日期", "失效日期", "服务到期", "服务到期日", "服务到期日期", "服务结束日期",
        "服务截止日期", "有效期至", "有效期到", "合同到期", "合同到期日期", "合同到期时间", "合同截止日期",
        "合同终止日期", "合同结束时间", "维保到期", "维保到期日", "质保到期", "质保到期日",
    ),
    "contract_status": ("contract status", "合同状况"),
}  # fmt: skip
"""More names of each column than `columns` documents."""

AMBIGUOUS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("number", "no", "号码"), ("phone", "external_ref")),
    **dict.fromkeys(("date", "日期", "时间"), ("contract_starts_on", "contract_ends_on")),
    **dict.fromkeys(("签订日期", "签约日期", "签订时间", "signed on"), ("contract_starts_on",)),
    **dict.fromkeys(("有效期", "合同期限", "服务期限", "period", "validity"), ("contract_ends_on",)),
    **dict.fromkeys(("code", "编码", "代码"), ("external_ref", "contract_number")),
    **dict.fromkeys(("status", "状态"), ("contract_status",)),
    **dict.fromkeys(("category", "类别", "分类", "客户分类", "客户类别"), ("kind", "tier")),
    **dict.fromkeys(("开通日期", "开通时间", "入网时间"), ("contract_starts_on",)),
    **dict.fromkeys(("工号", "会员卡号", "卡号"), ("external_ref",)),
    **dict.fromkeys(("服务类型", "service", "service type"), ("service_level",)),
    **dict.fromkeys(("minutes", "分钟", "分钟数", "时长"), ("contract_minutes_total", "contract_minutes_used")),
}
"""What each of these headings might mean. Which it is, somebody has to say."""

_LEFT_OUT: Final = (
    # what `--bad` adds to a file
    "why left out",
    # places and addresses
    "address", "street", "street 2", "street 3", "city", "state", "province", "county", "zip", "zip code",
    "postal code", "postcode", "country", "region", "地址", "详细地址", "联系地址", "通讯地址", "客户地址",
    "公司地址", "省", "省份", "市", "城市", "区", "区县", "国家", "地区", "邮编", "邮政编码", "所在地区",
    # other numbers and addresses than people's
    "fax", "business fax", "home fax", "other fax", "fax number", "pager", "telex", "isdn", "radio phone",
    "callback", "tty/tdd phone", "assistants phone", "assistant's phone", "website", "web page", "url", "im",
    "wechat", "传真", "传真号码", "网址", "网站", "微信", "微信号", "qq", "qq号", "facebook", "twitter",
    "skype", "linkedin",
    # the other system's own bookkeeping
    "owner", "account owner", "contact owner", "lead source", "source", "created", "created at", "created time",
    "create date", "created by", "created date", "updated at", "modified time", "modified by",
    "last modified date", "last activity date", "last login", "active", "tags", "labels", "groups", "photo",
    "lead status", "lifecycle stage", "序号", "行号", "负责人", "业务员", "销售", "销售员", "销售代表",
    "客户经理", "创建时间", "创建日期", "创建人", "修改时间", "修改人", "更新时间", "最后修改时间",
    "最后跟进时间", "客户来源", "来源", "标签", "跟进状态", "录入人", "制单人", "归属部门",
    # a person's other particulars
    "organization id", "organisation id", "company id", "account name id", "is a company", "unsubscribed",
    "gender", "sex", "birthday", "date of birth", "anniversary", "department", "organization department",
    "nickname", "middle name", "additional name", "suffix", "name suffix", "file as", "email type",
    "e-mail type", "e-mail 2 type", "e-mail 3 type", "e-mail display name", "spouse", "children", "hobby",
    "initials", "location", "priority", "phonetic first name", "phonetic last name", "phonetic middle name",
    "性别", "生日", "出生日期", "部门", "身份证号", "身份证", "行业", "所属行业", "税号", "纳税人识别号",
    "开户行", "银行账号", "助记码", "金额", "合同金额", "industry", "annual revenue", "别名", "employees",
    "billing street", "billing city", "shipping street", "shipping city", "mailing street", "mailing city",
)  # fmt: skip
"""Headings that are common, and that the record has no place for."""

_NUMBERED: Final = (
    (re.compile(r"(?:phone|telephone|tel|电话|座机|固定电话)[1-9](?:value|number)?"), "phone"),
    (re.compile(r"(?:mobile|cell|手机|手机号)[1-9](?:value|number)?"), "mobile"),
    (re.compile(r"(?:email|邮箱)[1-9](?:value|address)?"), "email"),
    (re.compile(r"(?:phone|email|address|website|fax|im|xmpp|event|relation|customfield)[1-9][a-z]+"), ""),
    (re.compile(r"(?:home|business|other|mailing|billing|shipping|office|company|work)(?:address|street|city|state"
                r"|province|stateprovince|zip|zippostalcode|postalcode|country|countryregion|fax)\w*"), ""),
)  # fmt: skip
"""Headings of a form: `Phone 2 - Value` of Google, `phone_2_number` of FreePBX; `` for those left out."""
NEAR: Final = 0.8  # how alike a heading is to a known one, that somebody is asked whether it was meant


@lru_cache(maxsize=4096)
def plain(heading: str) -> str:
    """The heading without what does not tell it from others: case, width, spaces, marks of a required column."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    text = re.sub(r"[(\[【](?:必填|选填|required|optional|mandatory|系统)[)\]】]", "", text)
    return re.sub(r"[\s_\-.:*#()'\"’\ufeff]+", "", text)


_BY_HEADING: Final = {
    plain(name): column
    for names in (COLUMNS, _NAMES)
    for column, others in names.items()
    for name in (column, *others)
}
_AMBIGUOUS: Final = {plain(name): columns for name, columns in AMBIGUOUS.items()}
_NOT_WANTED: Final = {plain(name) for name in _LEFT_OUT}


def meaning(heading: str) -> str | None:
    """The column that a heading names, `` for one that is common but has no place here; None where it is not known
    or has several meanings."""
    key = plain(heading)
    if key in _BY_HEADING:
        return _BY_HEADING[key]
    if key in _NOT_WANTED:
        return ""
    return next((column for form, column in _NUMBERED if form.fullmatch(key)), None)


def ambiguous(heading: str) -> tuple[str, ...]:
    """The columns that a heading may name, if it is one of those that have several meanings."""
    return _AMBIGUOUS.get(plain(heading), ())


def may_mean(heading: str) -> tuple[str, ...]:
    """The columns that a heading may name: several, or the one that it is nearly like; none of an unknown one."""
    return ambiguous(heading) or nearest(heading, NEAR)


def nearest(heading: str, alike: float) -> tuple[str, ...]:
    """The column whose name is at least so much like the heading, from 0 to 1."""
    near = difflib.get_close_matches(plain(heading), _BY_HEADING, n=1, cutoff=alike)
    return (_BY_HEADING[near[0]],) if near else ()


def is_column(cell: str) -> bool:
    """Whether this header cell names a column."""
    return bool(meaning(cell))
