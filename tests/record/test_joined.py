"""Two customers whom an agent joined: each keeps a contact, and each contact leads to the other."""

from __future__ import annotations

from cti_server.api.crm.interactions import interaction_view
from cti_server.floor.apply import Floor
from cti_server.floor.people import people
from cti_server.record.calls import call_of, record_of
from cti_server.record.contacts import history
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.database import Database
from cti_server.rules.rights import Viewer
from tests.floor.test_transcripts import seated
from tests.record.builders import a_customer, call
from tests.transcripts.play import Transcript


async def test_contacts_that_an_agent_joined_lead_to_each_other(database: Database) -> None:
    transcript = Transcript.load("keys-two-customers-joined")
    floor = Floor(transcript.truth["pbx"])
    changed = {}
    shown: dict[str, set[str]] = {}
    for signal in [*seated(), *transcript.signals()]:
        floor.apply(signal)
        changed |= {one.id: one for one in floor.take_changed()}
        for one in floor.calls.values():
            if one.joined and one.state == "talking":
                shown.setdefault(one.id, set()).update(p.state for p in people(one) if p.role == "customer")
    joined = [one for one in changed.values() if one.joined]
    assert len(joined) == 2
    assert [states for states in shown.values() if "talking" not in states] == []
    assert len(shown) == 2
    async with database.begin() as conn:
        await save_calls(conn, [record_of(one) for one in joined])
    async with database.read() as conn:
        found = [await history.by_key(conn, (one.pbx, one.boot, one.linkedid)) for one in joined]
    first, second = (one for one in found if one is not None)
    for one, other in ((first, second), (second, first)):
        (link,) = interaction_view(one, Viewer(1))["joined"]
        assert link == {"interaction": other.id, "customer": None, "number": other.ani_e164}
        assert call_of(one).joined == {f"{other.pbx}:{other.boot}:{other.linkedid}"}


async def test_the_other_contact_may_have_been_merged_or_have_gone(database: Database) -> None:
    async with database.begin() as conn:
        emily = (await a_customer(conn, "Emily Carter")).id
        await save_calls(
            conn, [call("b", customer_id=emily), call("a", joined=["demo:100:x", "demo:100:nowhere"])]
        )
        await save_calls(conn, [call("b", customer_id=emily, aliases=("x",))])
    async with database.read() as conn:
        found = await history.by_key(conn, ("demo", 100, "a"))
    assert found is not None
    assert [(one.customer_id, one.customer_name) for one in found.joined_with] == [(emily, "Emily Carter")]
