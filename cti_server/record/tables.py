"""Every table, for those who need the whole metadata: the migrations and the tests."""

from __future__ import annotations

from cti_server.record import (
    agents,
    cases,
    contact_points,
    contracts,
    customers,
    interactions,
    journal,
    leases,
    lines,
    notes,
    products,
    queues,
    sessions,
)
from cti_server.record.schema import metadata

__all__ = ["metadata"]

MODULES = (
    agents,
    cases,
    contact_points,
    contracts,
    customers,
    interactions,
    journal,
    leases,
    lines,
    notes,
    products,
    queues,
    sessions,
)
