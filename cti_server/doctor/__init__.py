"""The doctor: finds what stands between the PBX and a card on the screen, and names the line that fixes it.

It only asks: an examination changes nothing at the PBX or on this machine, and writes to the database what is
there.
"""

from __future__ import annotations

from cti_server.doctor.examine import examine, main
from cti_server.doctor.findings import Finding, Status
from cti_server.doctor.render import render

__all__ = ["Finding", "Status", "examine", "main", "render"]
