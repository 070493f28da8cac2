"""What of a PBX's queues a server gives back, and what it leaves to others."""

from __future__ import annotations

from dataclasses import replace

from cti_server.asterisk.actions import QueuePause, QueueRemove
from cti_server.asterisk.handing_back import Ours, given_back
from cti_server.floor.signals import EntryRow, MemberChanged, MemberStatus, Snapshot

ALICE, BOB = "PJSIP/1001", "PJSIP/1002"
MEMBER = MemberChanged(1.0, "support", ALICE, ALICE, "Alice", MemberStatus.IDLE, True, "on_call")
OURS = Ours(frozenset({ALICE}), joined=frozenset({("night", ALICE)}))


def snapshot(*members: MemberChanged, waiting: str | None = None) -> Snapshot:
    entries = (EntryRow(waiting, "leg", 1, 3.0),) if waiting is not None else ()
    return Snapshot(2.0, 7, queues=("support", "night"), members=members, entries=entries)


def test_a_pause_of_ours_is_undone_and_nobody_elses() -> None:
    others = [
        replace(MEMBER, queue="sales", reason="lunch_of_somebody_else"),
        replace(MEMBER, queue="vip", reason=None),
        replace(MEMBER, queue="vip", interface=BOB, seat=BOB),
        replace(MEMBER, queue="free", paused=False, reason=None),
    ]
    assert given_back(snapshot(MEMBER, *others), OURS).actions() == [QueuePause(ALICE, False, queue="support")]


def test_a_member_behind_a_hint_is_its_phone() -> None:
    behind = replace(MEMBER, interface="Local/1001@from-queue/n")
    assert given_back(snapshot(behind), OURS).actions() == [
        QueuePause("Local/1001@from-queue/n", False, queue="support")
    ]


def test_who_was_put_in_is_taken_out_and_who_was_there_is_not() -> None:
    ours = replace(MEMBER, queue="night", dynamic=True)
    theirs = replace(MEMBER, queue="support", dynamic=True)
    given = given_back(snapshot(ours, theirs), OURS)
    assert given.actions() == [QueuePause(ALICE, False, queue="support"), QueueRemove("night", ALICE)]


def test_a_member_stays_while_callers_wait_and_is_rung() -> None:
    """With leavewhenempty the callers would be sent away with the last member."""
    ours = replace(MEMBER, queue="night", dynamic=True)
    given = given_back(snapshot(ours, waiting="night"), OURS)
    assert given.actions() == [QueuePause(ALICE, False, queue="night")]
    assert given.kept == [ours]
    assert given_back(snapshot(ours, waiting="night"), OURS, at_once=True).actions() == [
        QueueRemove("night", ALICE)
    ]


def test_who_has_gone_home_is_unpaused_from_that_and_nothing_else() -> None:
    """A pause with a reason of ours, at a phone where nobody is at work, was set by somebody else."""
    gone = Ours(frozenset(), frozenset({"lunch", "signed_out"}), left=frozenset({ALICE}))
    home = replace(MEMBER, reason="signed_out")
    lunch = replace(MEMBER, queue="vip", reason="lunch")
    bobs = [replace(one, interface=BOB, seat=BOB) for one in (home, lunch)]
    assert given_back(snapshot(home, lunch, *bobs), gone).actions() == [QueuePause(ALICE, False, queue="support")]


def test_without_a_record_the_reasons_alone_tell() -> None:
    assert len(given_back(snapshot(MEMBER, replace(MEMBER, interface=BOB, seat=BOB)), Ours()).actions()) == 2
