"""The parameters that many routes share: ids that the database can hold, pages, the id of a call."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import Field

from cti_server.record.cursor import MAX_LIMIT

MAX_ID: Final = 2**63 - 1

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, Query(max_length=600, description="`next` of the page before")]
CallId = Annotated[str, Path(min_length=1, max_length=200, description="opaque, as given by GET /api/calls")]
