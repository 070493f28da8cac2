"""What FreePBX, and Issabel, a sibling of it, writes anew by itself.

Nobody else may change it: whatever is wrong there is mended on its screens, or in its `_custom` files.
"""

from __future__ import annotations

import re

from cti_server.doctor.dialplan.plan import Dialplan

#: contexts that only they have
MARKS = ("ext-queues", "from-internal-xfer", "from-did-direct")
GENERATED = re.compile(
    r"customdests|timeconditions|bad-number|outbound-allroutes|(app|ext|func|ivr|macro|outrt|sub)-.+"
    r"|from-(analog|did|digital|internal|pstn|queue|ringgroups|sip-external|trunk)(-.+)?"
)


def is_freepbx(plan: Dialplan) -> bool:
    return any(context in plan.contexts for context in MARKS)


def generated(plan: Dialplan, context: str) -> bool:
    """Whether this context is one that its screens write; those that end in -custom are the administrator's."""
    return is_freepbx(plan) and not context.endswith("-custom") and GENERATED.fullmatch(context) is not None
