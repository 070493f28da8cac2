"""Who is given a browser phone's password, as a table."""

from __future__ import annotations

import pytest

from cti_server.rules.softphone import SHARED_A_DAY, may_register

ME, OTHER = 1, 2
HAD = [f"main/PJSIP/11{n:02}" for n in range(SHARED_A_DAY)]
NEXT = "main/PJSIP/1199"


@pytest.mark.parametrize(
    ("owner", "phone", "had", "given", "rule"),
    [
        (ME, NEXT, (), True, "phone.own"),
        (ME, NEXT, HAD, True, "phone.own"),  # one's own phone counts for nothing
        (OTHER, NEXT, (), False, "phone.anothers"),
        (OTHER, NEXT, [NEXT], False, "phone.anothers"),  # it was shared, and is somebody's now
        (None, NEXT, (), True, "phone.shared"),
        (None, NEXT, HAD[:-1], True, "phone.shared"),
        (None, NEXT, HAD, False, "phone.too_many"),
        (None, HAD[0], HAD, True, "phone.shared"),  # again the same: a page that is loaded anew
    ],
)
def test_who_is_given_it(owner: int | None, phone: str, had: list[str], given: bool, rule: str) -> None:
    found = may_register(ME, owner, phone, had)
    assert (found.given, found.rule) == (given, rule)
    assert found.evidence == (tuple(sorted(had)) if owner is None else (str(owner),))
