"""maintain: the upkeep of the record, once, as a running server does it each hour."""

from __future__ import annotations

from typing import Any

from .common import err, fail, opened, read_settings, run, say


def maintain() -> None:
    """Cut what is older than it is kept, and make the journal's next partitions; the server may run meanwhile."""
    from cti_server.record.upkeep import run as upkeep

    settings = read_settings()

    async def work() -> Any:
        async with opened(settings) as database:
            return await upkeep.run(database, settings.kept())

    done: upkeep.Done | None = run(work(), settings)
    if done is None:
        fail("another process does the upkeep now; nothing was done", "Try again when it has ended.")
    for table, count in done.rows.items():
        say(f"{table}: {count} rows cut")
    for what, names in (("made", done.partitions.made), ("cut", done.partitions.cut)):
        if names:
            say(f"partitions {what}: {', '.join(names)}")
    if done.partitions.skipped:
        err.print(
            f"not made: {', '.join(done.partitions.skipped)}: entries of theirs stand in journal_rest until they "
            "are cut by age",
            style="yellow",
        )
    say(f"took {done.seconds:.1f} s")
    if done.failures:
        told = "; ".join(f"{step}: {cause}" for step, cause in done.failures.items())
        fail(f"not all was done: {told}", "cti-server maintain   tries it again; so does a running server")
