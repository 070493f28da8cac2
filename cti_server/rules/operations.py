"""What each operation of the API needs: a role, a grant, or for a program a scope of its key. An operation
without a row is refused, and `create_api` does not start with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from cti_server.rules.facts import Role
from cti_server.rules.rights import Grant

Scope = Literal["floor:read", "customers:read", "customers:write", "contacts:read", "audit:read"]
"""What a program may do by its key."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

NUMBERS: Final = "full_numbers"
"""The grant that a key may have among its scopes; without it a program gets numbers masked, like a person."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What one operation needs. `role` None: nobody need be signed in. `grant`: this grant as well, or for a
    program that has `scope`, only the scope. `noted`: each time it worked goes into the audit log, whoever did it.
    `halfway`: also for a session that may do nothing else before its person has set their second factor up."""

    role: Role | None = "agent"
    grant: Grant | None = None
    scope: Scope | None = None
    noted: bool = False
    halfway: bool = False


_OPEN = Needs(role=None)
_AGENT = Needs()
_NOTED = Needs(noted=True)
_SUPERVISOR = Needs("supervisor", noted=True)
_ADMINISTERS = Needs(grant="administer")
_ADMINISTERS_NOTED = Needs(grant="administer", noted=True)
_FLOOR = Needs(scope="floor:read")
_CUSTOMERS = Needs(scope="customers:read")
_WRITES_CUSTOMERS = Needs(scope="customers:write", noted=True)
_CONTACTS = Needs(scope="contacts:read")

OPERATIONS: Final[Mapping[str, Needs]] = {
    # signing in; what happens there is noted where it is decided
    "signIn": _OPEN,
    "signOut": _OPEN,
    "getWaysToSignIn": _OPEN,
    "goToProvider": _OPEN,
    "comeFromProvider": _OPEN,
    "endByProvider": _OPEN,  # by the provider's signature
    "getMySecondFactor": Needs(halfway=True),
    "beginMySecondFactor": Needs(halfway=True),
    "confirmMySecondFactor": Needs(halfway=True, noted=True),
    "renewMyRecoveryCodes": Needs(halfway=True, noted=True),
    "endMySecondFactor": Needs(halfway=True, noted=True),
    "issueTicket": _OPEN,  # by the session's cookie, which it looks at itself
    "changePassword": _NOTED,
    "listMySessions": _AGENT,
    "endMyOtherSessions": _NOTED,
    # the agent and their desk
    "getMe": _AGENT,
    "changeMe": _AGENT,
    "beginShift": _AGENT,
    "endShift": _AGENT,
    "setMyState": _AGENT,
    "getMyDay": _AGENT,
    "listOwed": _AGENT,
    "listPhones": _AGENT,
    "getSoftphone": _NOTED,
    "claimSoftphone": _AGENT,
    "getDraft": _AGENT,
    "saveDraft": _AGENT,
    "finishInteraction": _AGENT,
    "finishWrapUp": _AGENT,
    "extendWrapUp": _AGENT,
    "requestWrapUp": _AGENT,
    "listMessages": _AGENT,
    "sendMessage": _AGENT,
    "readMessages": _AGENT,
    "listHelp": _AGENT,
    "askForHelp": _AGENT,
    "takeHelp": Needs("supervisor"),
    "finishHelp": _AGENT,
    "listPromises": _AGENT,
    "makePromise": _NOTED,
    "changePromise": _NOTED,
    "listReasons": _FLOOR,
    "setReasons": _SUPERVISOR,
    "listWrapUpCodes": _FLOOR,
    "setWrapUpCodes": _SUPERVISOR,
    # customers and their contacts
    "findCustomers": _CUSTOMERS,
    "getCustomer": _CUSTOMERS,
    "getValueChanges": _CUSTOMERS,
    "getTimeline": Needs(scope="contacts:read"),
    "addCustomer": _WRITES_CUSTOMERS,
    "changeCustomer": _WRITES_CUSTOMERS,
    "addContactPoint": _WRITES_CUSTOMERS,
    "removeContactPoint": _WRITES_CUSTOMERS,
    "addNote": _NOTED,
    "listInteractions": _CONTACTS,
    "getInteraction": _CONTACTS,
    "writeNote": _NOTED,
    "reassociate": _NOTED,
    "identifyCaller": _OPEN,  # by a token of its own
    # the floor as it is this second
    "listCalls": _FLOOR,
    "getCall": _FLOOR,
    "listParts": _FLOOR,
    "getCard": _AGENT,
    "chooseCustomer": _NOTED,
    "getHandover": _AGENT,
    "listQueues": _FLOOR,
    "listMembers": _FLOOR,
    "getTeam": _FLOOR,
    "findTargets": _AGENT,
    # call control; each call is in the record, with who did what
    **dict.fromkeys(
        (
            "dialNumber",
            "transferCall",
            "consultCall",
            "conferenceCall",
            "sendKeys",
            "dropParticipant",
            "answerCall",
            "hangupCall",
            "holdCall",
            "retrieveCall",
            "muteCall",
            "unmuteCall",
            "alternateCall",
            "completeCall",
            "cancelCall",
            "parkCall",
            "pickUpCall",
            "startRecording",
            "pauseRecording",
            "resumeRecording",
            "stopRecording",
            "reconnectCall",
        ),
        _AGENT,
    ),
    # administration
    "listUsers": _ADMINISTERS,
    "changeUser": _ADMINISTERS_NOTED,
    "endSessionsOf": _ADMINISTERS_NOTED,
    "listTeams": _ADMINISTERS,
    "addTeam": _ADMINISTERS_NOTED,
    "changeTeam": _ADMINISTERS_NOTED,
    "removeTeam": _ADMINISTERS_NOTED,
    "listApiKeys": _ADMINISTERS,
    "addApiKey": _ADMINISTERS_NOTED,
    "revokeApiKey": _ADMINISTERS_NOTED,
    "listAudit": Needs(grant="administer", scope="audit:read"),
    "getDialPolicy": _ADMINISTERS,
    "setDialPolicy": _ADMINISTERS_NOTED,
    "decideDialling": _AGENT,
    # whether the server lives
    "getHealth": _OPEN,
    "getReadiness": _OPEN,
    "getMetrics": _OPEN,
}
