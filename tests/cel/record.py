"""Records what CEL, and what the manager, says of the same calls:  python -m tests.cel.record [scenario…]

The scenarios are those of `tests/transcripts`. `recorded/NAME.csv` is the log as Asterisk wrote it;
`recorded/NAME.json` has what the floor made of the manager's events of that very run (`live`), and what is true of
it (`calls`).
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.floor.apply import Floor
from tests.floor.test_transcripts import described, play, seated, unmerged
from tests.transcripts.play import Transcript
from tests.transcripts.record import SCENARIOS
from tests.transcripts.stage import Stage
from tests.transcripts.tap import tap

FOLDER = Path(__file__).parent / "recorded"


def record(name: str) -> str:
    """Play one scenario on a PBX of its own."""
    act, changes = SCENARIOS[name]
    with DemoPbx(free_config(**changes)) as pbx, contextlib.ExitStack() as stack:
        tape = stack.enter_context(tap(pbx.config.ami_port, pbx.config.secrets))
        stage = Stage(pbx, tape, stack)
        tape.event("FullyBooted")
        stage.snapshot("at the start")
        truth = act(stage)
        stage.all_hung_up()
        stage.snapshot("at the end")
        tapes = [bytes(one.raw) for one in (*stage.tapes, stage.tape)]
        log = (pbx.work / "log" / "cel-custom" / "cti.csv").read_bytes()
        boot = next(int(call.boot) for call in _live(name, truth, pbx.config.name, tapes).values())
        live = [_told(call) for call in _live(name, truth, pbx.config.name, tapes).values()]
    (FOLDER / f"{name}.csv").write_bytes(log)
    about = {"scenario": name, "pbx": pbx.config.name, "boot": boot, "live": live, "calls": truth["calls"]}
    (FOLDER / f"{name}.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return f"{name}: {len(log.splitlines())} rows, {len(live)} calls"


def _live(name: str, truth: dict[str, Any], pbx: str, tapes: list[bytes]) -> Any:
    transcript = Transcript(name, {**truth, "pbx": pbx}, tapes)
    return unmerged(play([*seated(), *transcript.signals()], Floor(pbx)))


def _told(call: Any) -> dict[str, Any]:
    return {"linkedid": call.linkedid, **described(call)}


def main(names: list[str]) -> int:
    failed = 0
    FOLDER.mkdir(exist_ok=True)
    for name in names or [name for name in SCENARIOS if not name.startswith("phone-")]:
        try:
            print(record(name), flush=True)
        except Exception as problem:
            failed += 1
            print(f"{name}: FAILED: {type(problem).__name__}: {problem}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
