"""A lookup as the dialplan gets it: the CTI_ channel variables, safe to send to any PBX."""

from __future__ import annotations

import re
from typing import Final, Literal

from cti_server.lookup.identify import Identified

Status = Literal["ok", "unknown", "timeout", "error"]

NAMES: Final = (
    "CTI_STATUS",
    "CTI_CUSTOMER",
    "CTI_MATCH",
    "CTI_TIER",
    "CTI_VERDICT",
    "CTI_PRIORITY",
    "CTI_LANGUAGE",
    "CTI_AGENT",
)
MAX_VALUE: Final = 80
# A dialplan expands the value of a variable: it must hold no quotes, no ${}, and nothing that separates
# applications or shell commands.
_UNSAFE: Final = re.compile(r"[^\w /@.:+-]+")


def variables(identified: Identified) -> dict[str, str]:
    """The variables of a finished lookup. CTI_STATUS is `ok` when one customer was picked, else `unknown`.

    CTI_PRIORITY is always an integer; a variable whose value is not known is empty.
    """
    customer = identified.customer
    values = {
        "CTI_STATUS": "ok" if customer else "unknown",
        "CTI_CUSTOMER": str(customer.id) if customer else "",
        "CTI_MATCH": identified.match.standing,
        "CTI_TIER": (customer.tier if customer else None) or "",
        "CTI_VERDICT": identified.verdict.code,
        "CTI_PRIORITY": str(identified.priority),
        "CTI_LANGUAGE": identified.language if identified.language in ("en", "zh") else "",
        "CTI_AGENT": identified.agent_seat or "",
    }
    return {name: safe(value or "") for name, value in values.items()}


def safe(value: str) -> str:
    """`value` without CR, LF, NUL, quotes and whatever else a dialplan could expand or split at."""
    return _UNSAFE.sub("", value)[:MAX_VALUE]
