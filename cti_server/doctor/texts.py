"""Every text of the doctor by its code, so that another language needs only another table."""

from __future__ import annotations

from collections.abc import Mapping

from cti_server.doctor.text import Text
from cti_server.doctor.texts_here import HERE
from cti_server.doctor.texts_manager import MANAGER
from cti_server.doctor.texts_pbx import PBX

TEXTS: Mapping[str, Text] = HERE | MANAGER | PBX
