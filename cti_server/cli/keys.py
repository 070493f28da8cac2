"""key: a new key for the secrets that the record keeps."""

from __future__ import annotations

import typer


def key() -> None:
    """Print a new key for CTI_SECRET_KEY, and nothing else."""
    from cti_server.record.sealing import new_key

    typer.echo(new_key())
