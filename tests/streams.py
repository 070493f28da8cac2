"""The stream of a PBX, as a process of the server has it."""

from __future__ import annotations

from cti_server.floor.replica import Replica
from cti_server.lookup.identify import Lookup
from cti_server.push.capsules import Capsules
from cti_server.push.cards import Cards
from cti_server.push.hub import Hub
from cti_server.push.stream import Stream
from cti_server.record.database import Database


def stream_of(pbx: str, hub: Hub, database: Database, lookup: Lookup | None = None) -> Stream:
    replica = Replica(pbx)
    cards = Cards(replica, lookup or Lookup(database), Capsules(replica, database))
    return Stream(f"pbx:{pbx}", hub, database, replica, cards)
