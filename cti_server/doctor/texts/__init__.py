"""Every text of the doctor by its code, so that another language needs only another table."""

from __future__ import annotations

from collections.abc import Mapping

from cti_server.doctor.texts.cel import CEL
from cti_server.doctor.texts.dialplan import DIALPLAN
from cti_server.doctor.texts.here import HERE
from cti_server.doctor.texts.manager import MANAGER
from cti_server.doctor.texts.pbx import PBX
from cti_server.doctor.texts.shape import Text

TEXTS: Mapping[str, Text] = HERE | MANAGER | PBX | DIALPLAN | CEL
