"""Every table, for those who need the whole metadata: the migrations and the tests."""

from __future__ import annotations

from cti_server.record import (
    agent_queues,
    agent_states,
    agents,
    cases,
    contact_points,
    contracts,
    customers,
    help_requests,
    interactions,
    journal,
    leases,
    lines,
    messages,
    notes,
    phones,
    products,
    promises,
    queues,
    reasons,
    sessions,
    shifts,
    wrap_up_codes,
)
from cti_server.record.schema import metadata

__all__ = ["metadata"]

MODULES = (
    agent_queues,
    agent_states,
    agents,
    cases,
    contact_points,
    contracts,
    customers,
    help_requests,
    interactions,
    journal,
    leases,
    lines,
    messages,
    notes,
    phones,
    products,
    promises,
    queues,
    reasons,
    sessions,
    shifts,
    wrap_up_codes,
)
