"""What an agent had to do with a call, where nobody saw the end of it."""

from __future__ import annotations

import pytest

from cti_server.floor.descriptions import WrapUpRule
from cti_server.floor.parts import Origin, Part, PartState, WrapUp


@pytest.mark.parametrize(("wrap_up", "wrapped_at", "owed"), [(True, None, False), (False, 15.0, True)])
def test_an_end_that_nobody_saw_is_only_worked_on_where_wrap_up_follows(
    wrap_up: bool, wrapped_at: float | None, owed: bool
) -> None:
    part = Part(
        0,
        "PJSIP/1001",
        1,
        "Anna",
        Origin.OFFER,
        PartState.RINGING,
        10.0,
        wrap=WrapUp(WrapUpRule(code_required=True)),
    )
    part.answer(15.0)
    part.end_unseen(wrap_up=wrap_up)
    assert (part.outcome, part.ended_at, part.wrapped_at, part.wrap.owed) == ("answered", None, wrapped_at, owed)


def test_a_call_between_agents_is_owed_by_nobody() -> None:
    part = Part(0, "PJSIP/1001", 1, "Anna", Origin.INTERNAL, PartState.RINGING, 10.0)
    part.answer(15.0)
    part.end_unseen(wrap_up=False)
    assert (part.state, part.wrapped_at, part.wrap.owed) == (PartState.LEFT, 15.0, False)
