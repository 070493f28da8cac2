"""Runs the migrations on the connection that `cti_server.record.migrate` opened; there is no alembic.ini."""

from __future__ import annotations

from alembic import context

from cti_server.record.migrate import in_metadata
from cti_server.record.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=in_metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
