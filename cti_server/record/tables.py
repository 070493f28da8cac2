"""Every table, for those who need the whole metadata: the migrations and the tests."""

from __future__ import annotations

from cti_server.record import journal, leases, whole_floors
from cti_server.record.audit import entries, seals
from cti_server.record.center import (
    agent_queues,
    agent_states,
    agents,
    api_keys,
    dial_policies,
    handed_back,
    identities,
    lines,
    phone_passwords,
    phones,
    queues,
    reasons,
    second_factors,
    sessions,
    shifts,
    teams,
    wrap_up_codes,
)
from cti_server.record.contacts import gaps
from cti_server.record.contacts import tables as contacts
from cti_server.record.crm import (
    cases,
    contact_points,
    contracts,
    customer_values,
    customers,
    import_mappings,
    notes,
    products,
)
from cti_server.record.desk import help_requests, messages, promises
from cti_server.record.processes import asked, handovers, presence, requests
from cti_server.record.schema import metadata
from cti_server.record.upkeep import claims

__all__ = ["metadata"]

MODULES = (
    agent_queues,
    agent_states,
    agents,
    api_keys,
    asked,
    cases,
    claims,
    contacts,
    contact_points,
    contracts,
    customer_values,
    customers,
    entries,
    gaps,
    dial_policies,
    handed_back,
    handovers,
    help_requests,
    identities,
    import_mappings,
    journal,
    leases,
    lines,
    messages,
    notes,
    phone_passwords,
    phones,
    presence,
    products,
    promises,
    queues,
    reasons,
    requests,
    seals,
    second_factors,
    sessions,
    shifts,
    teams,
    whole_floors,
    wrap_up_codes,
)
