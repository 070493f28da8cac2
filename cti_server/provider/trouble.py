"""What can go wrong with an identity provider, by codes."""

from __future__ import annotations

from typing import Literal

TroubleCode = Literal["unreachable", "misconfigured", "wrong_client", "clock", "bad_token", "old_state"]
"""`unreachable`: it does not answer, or not in time. `misconfigured`: it and our settings do not fit.
`wrong_client`: it does not know our client or its secret. `clock`: its clock and ours differ. `bad_token`: what it
has signed is not for us, or not signed by it. `old_state`: its code was used, or has expired."""


class Trouble(Exception):
    """`code` is for programs, the text for the log and the administrator. It has no secret in it."""

    def __init__(self, code: TroubleCode, why: str) -> None:
        super().__init__(why)
        self.code = code
