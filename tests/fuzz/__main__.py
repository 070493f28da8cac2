"""`make fuzz ARGS="--seconds 60"`: executions, how many a second, and findings, for each part of the wire.

Coverage-guided by atheris where it is installed (Linux on x86-64), elsewhere by mutation alone. Each part runs in
a process of its own, because a finding ends it. An input that is a finding is kept in var/fuzz, and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.corpus import TOKENS, mutated, seeds

KEPT = Path(__file__).parents[2] / "var" / "fuzz"
NAMES = ("manager", "actions", "session", "commands", "texts")  # properties.TARGETS, which a child instruments
MOST_BYTES = {"texts": 400}  # a name; longer ones are read the same way, and take longer
BLOCK = 500


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all parts together")
    parser.add_argument("--part", choices=NAMES, action="append", help="only these")
    parser.add_argument("--child", choices=NAMES, help=argparse.SUPPRESS)
    parser.add_argument("--input", type=Path, help="run one kept input: --part manager --input var/fuzz/…")
    given = parser.parse_args()
    parts = given.part or list(NAMES)
    if given.input is not None:
        from tests.fuzz.properties import TARGETS

        for part in parts:
            TARGETS[part](given.input.read_bytes())
        return 0
    guided = importlib.util.find_spec("atheris") is not None
    each = given.seconds / len(parts)
    if given.child is not None:
        (_guided if guided else _mutating)(given.child, given.seconds)
        return 0
    KEPT.mkdir(parents=True, exist_ok=True)
    findings = sum(_run(part, each, guided) for part in parts)
    print(f"findings: {findings}" + (f", kept in {KEPT}" if findings else ""))
    return 1 if findings else 0


def _run(part: str, seconds: float, guided: bool) -> int:
    command = [sys.executable, "-m", "tests.fuzz", "--child", part, "--seconds", f"{seconds:g}"]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds + 120)
    took = time.monotonic() - began
    said = done.stdout + done.stderr
    counted = re.findall(r"^(?:stat::number_of_executed_units:\s+|#)(\d+)", said, re.MULTILINE)
    executions = max(map(int, counted), default=0)
    how = "coverage-guided" if guided else "by mutation"
    print(f"{part:10} {executions:>10,} executions, {executions / max(took, 0.001):>8,.0f}/s, {how}", flush=True)
    if done.returncode == 0:
        return 0
    print(said[-4000:])
    return 1


def _guided(part: str, seconds: float) -> None:
    import atheris

    with atheris.instrument_imports(include=["cti_server.wire"]):
        from tests.fuzz.properties import TARGETS, small_limits

    small_limits()
    folder = KEPT / f"corpus-{part}"
    folder.mkdir(parents=True, exist_ok=True)
    for n, seed in enumerate(seeds()):
        (folder / f"seed-{n}").write_bytes(seed)
    words = folder.with_suffix(".dict")
    words.write_text("".join(f'"{_escaped(token)}"\n' for token in TOKENS if len(token) < 64))
    atheris.Setup(
        [
            "fuzz",
            str(folder),
            f"-max_total_time={max(1, round(seconds))}",
            f"-max_len={MOST_BYTES.get(part, 4096)}",
            f"-dict={words}",
            f"-artifact_prefix={KEPT}/{part}-",
            "-timeout=5",
            "-rss_limit_mb=512",
            "-print_final_stats=1",
            "-verbosity=1",
        ],
        TARGETS[part],
    )
    atheris.Fuzz()


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


def _mutating(part: str, seconds: float) -> None:
    from tests.fuzz.properties import TARGETS, small_limits

    small_limits()
    until, begin, done = time.monotonic() + seconds, seeds(), 0
    while time.monotonic() < until:
        for data in mutated(begin, BLOCK, random.randrange(1 << 30)):
            try:
                TARGETS[part](data)
            except Exception:
                (KEPT / f"{part}-crash").write_bytes(data)
                traceback.print_exc()
                print(f"#{done}")
                sys.exit(1)
            done += 1
    print(f"#{done}")


if __name__ == "__main__":
    sys.exit(main())
