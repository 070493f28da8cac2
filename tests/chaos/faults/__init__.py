"""The faults, one file a theme."""

from __future__ import annotations

from tests.chaos.run import Fault

from . import database, desks, killed, machine, manager, owner, questions

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for theme in (killed, database, owner, manager, desks, questions, machine)
    for fault in theme.FAULTS
}
