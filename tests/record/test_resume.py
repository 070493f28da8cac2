"""A recorded call stopped at each signal, written, read back and put on a new floor: it stands where it stood."""

from __future__ import annotations

from cti_server import memory
from cti_server.floor.apply import Floor
from cti_server.record import journal, leases
from cti_server.record.calls import record_of
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.database import Database
from tests.floor.replicas import replica_of
from tests.floor.test_restart_at_any_time import differences
from tests.floor.test_transcripts import SEATS, seated
from tests.record.builders import NOON, after, an_agent
from tests.transcripts.play import Transcript


async def test_what_is_read_back_is_shown_as_it_was(database: Database) -> None:
    transcript = Transcript.load("desk-park-and-fetch")
    pbx = transcript.truth["pbx"]
    floor = Floor(pbx)
    async with database.begin() as conn:
        for number in SEATS:
            assert await an_agent(conn, f"agent{number}", pbx=pbx, name=f"agent {number}") == number
    stood = 0
    for signal in (*seated(), *transcript.signals()):
        floor.apply(signal)
        changed = [call for call in floor.take_changed() if call.merged_into is None]
        async with database.begin() as conn:
            ids = await save_calls(conn, map(record_of, (*changed, *floor.calls.values())))
            for call in floor.calls.values():
                call.interaction = ids[call.pbx, call.boot, call.linkedid]
            again = {call.id: call for call in await memory.recall_calls(conn, pbx)}
        assert again.keys() == floor.calls.keys(), signal
        for call_id, call in floor.calls.items():
            after_it = Floor(pbx)
            after_it.restore(again[call_id])
            stood += 1
            # Whose phone a leg is, the queues say with the next snapshot.
            for leg in after_it.calls[call_id].legs.values():
                leg.ours = call.legs[leg.id].ours
            shown = replica_of(after_it.books).call_topic(call_id)
            assert differences(shown, replica_of(floor.books).call_topic(call_id)) == [], signal
    assert stood > 50


async def test_a_call_that_has_left_the_floor_is_not_brought_back(database: Database) -> None:
    transcript = Transcript.load("queue-timeout")
    floor = Floor(transcript.truth["pbx"])
    for signal in (*seated(), *transcript.signals()):
        floor.apply(signal)
        async with database.begin() as conn:
            await save_calls(conn, map(record_of, floor.take_changed()))
    async with database.read() as conn:
        assert await memory.recall_calls(conn, transcript.truth["pbx"]) == []


async def test_until_when_a_pbx_was_heard(database: Database) -> None:
    async with leases.hold(database, "demo", "one", NOON), database.begin() as conn:
        assert await leases.live_until(conn, "demo") is None
        await leases.note_live(conn, "demo", after(5))
    async with leases.hold(database, "demo", "two", after(60)), database.read() as conn:
        assert await leases.live_until(conn, "demo") == after(5)
        assert await leases.live_until(conn, "other") is None


async def test_what_happened_to_calls_after_the_last_note_was_heard_too(database: Database) -> None:
    """A note is made every five seconds; of a server that was killed in between, the journal knows more."""

    def told(seconds: float, kind: str) -> journal.NewEntry:
        return journal.NewEntry(after(seconds), kind, {})

    async with leases.hold(database, "demo", "one", after(0)) as lease, database.begin() as conn:
        await leases.fence(conn, lease, changes_it=True)
        await leases.note_live(conn, "demo", after(5))
        await journal.append(conn, journal.stream_of("demo"), [told(3, "call.changed")])
        assert await leases.live_until(conn, "demo") == after(5)
        await journal.append(
            conn,
            journal.stream_of("demo"),
            [told(8, "part.changed"), told(9, "agent.changed"), told(9, "link.changed")],
        )
        assert await leases.live_until(conn, "demo") == after(8), "of the link itself nothing follows"
        await journal.append(conn, journal.stream_of("demo"), [told(60, "part.changed")])
        assert await leases.live_until(conn, "demo") == after(5), "no note since: the PBX was lost meanwhile"
