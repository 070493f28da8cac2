"""Records scenarios from a real Asterisk:  python -m tests.transcripts.record [scenario…]"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from cti_server.demo.pbx import DemoPbx, free_config
from tests.transcripts import (  # noqa: F401 - they register
    scenarios_desk,
    scenarios_odd,
    scenarios_phones,
    scenarios_queue,
    scenarios_ringing,
    scenarios_transfer,
)
from tests.transcripts.stage import SCENARIOS, Stage
from tests.transcripts.tap import tap

FOLDER = Path(__file__).parent


def record(name: str, folder: Path = FOLDER) -> str:
    """Plays one scenario on a PBX of its own and writes its files. Returns a line about it."""
    play, changes = SCENARIOS[name]
    began = time.monotonic()
    with DemoPbx(free_config(**changes)) as pbx, contextlib.ExitStack() as stack:
        tape = stack.enter_context(tap(pbx.config.ami_port, pbx.config.secrets))
        stage = Stage(pbx, tape, stack)
        tape.event("FullyBooted")
        stage.snapshot("at the start")
        truth = play(stage)
        stage.all_hung_up()
        stage.snapshot("at the end")
        tapes = [*stage.tapes, stage.tape]
        version = stage.role("cti-events").ask("CoreSettings")["AsteriskVersion"]
    files = [f"{name}.ami" if n == 0 else f"{name}.{n + 1}.ami" for n in range(len(tapes))]
    for file, one in zip(files, tapes, strict=True):
        (folder / file).write_bytes(_without_secrets(bytes(one.raw)))
    about: dict[str, Any] = {
        "scenario": name,
        "about": " ".join((play.__doc__ or "").split()),
        "asterisk": version,
        "pbx": pbx.config.name,
        "tapes": files,
        "marks": stage.marks,
        **truth,
    }
    (folder / f"{name}.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    events = sum(1 for one in tapes for m in one.messages if "Event" in m)
    return f"{name}: {sum(len(t.raw) for t in tapes)} bytes, {events} events, {time.monotonic() - began:.1f} s"


def _without_secrets(raw: bytes) -> bytes:
    """Nothing secret is sent to the events role; this asserts it rather than changing a byte."""
    assert b"Secret" not in raw
    return raw


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(SCENARIOS)}")
        return 2
    failed = 0
    for name in names or SCENARIOS:
        try:
            print(record(name), flush=True)
        except Exception as problem:
            failed += 1
            print(f"{name}: FAILED: {problem}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
