"""What desktops are shown of a floor that a test has: the replica that would be made of it now."""

from __future__ import annotations

import copy

from cti_server.floor import views
from cti_server.floor.books import Books
from cti_server.floor.replica import Replica


def replica_of(books: Books) -> Replica:
    """A replica of the whole floor as it is now. It shares nothing with it."""
    made = Replica(books.pbx)
    made.load(copy.deepcopy(views.whole(books)))
    return made
