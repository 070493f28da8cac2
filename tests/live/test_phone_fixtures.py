"""Phones of other makers do what their keys say: the tests that use them then test the PBX, not the phone."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from cti_server.demo.calls import place_call
from cti_server.demo.pbx import DemoPbx
from tests.live.baresip import Baresip
from tests.live.linphone import Linphone
from tests.live.real_phone import RealPhone

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


def test_two_lines_become_one_call(demo_pbx: DemoPbx) -> None:
    """Consults a colleague on its second line and connects the two: REFER with Replaces."""
    with ExitStack() as stack:
        phone = stack.enter_context(Linphone(demo_pbx, "1001"))
        colleague = stack.enter_context(Baresip(demo_pbx, "1002"))
        caller = stack.enter_context(place_call(demo_pbx, "02162881234", "4008009000"))
        phone.rings()
        phone.answer()
        phone.hold()
        phone.dial("1002")
        colleague.rings()
        colleague.answer()
        phone.wait(r"Call 2 with .* connected\.")
        phone.complete(1, 2)
        phone.wait(r"Call 1 with .* ended")
        phone.wait(r"Call 2 with .* ended")
        colleague.hang_up()
        assert caller.wait(10), caller.errors()


@pytest.mark.parametrize("kind", [Baresip, Linphone])
def test_it_rings_answers_holds_and_hangs_up(demo_pbx: DemoPbx, kind: type[RealPhone]) -> None:
    with ExitStack() as stack:
        phone = stack.enter_context(kind(demo_pbx, "1001"))  # type: ignore[call-arg]
        caller = stack.enter_context(place_call(demo_pbx, "02162881234", "4008009000"))
        phone.rings()
        phone.answer()
        phone.hold()
        phone.resume()
        phone.hang_up()
        assert caller.wait(10), caller.errors()
