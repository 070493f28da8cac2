"""The demo's stage: a real Asterisk, deskphones that ring and answer, and a file that says where to call it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cti_server.demo.asterisk_root import DemoUnavailable, require_tools
from cti_server.demo.calls import Caller, Deskphone, PhoneHabits, call, trunk_far_end
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.render import PbxConfig
from cti_server.demo.seed_data import CALLERS, CUSTOMERS, LINES, LOGINS
from cti_server.record.sealing import new_key

PBX = "demo"
HABITS = PhoneHabits(ring_s=6.0, talk_s=120.0)  # rings long enough to read the card, then answers by itself


def state_file(folder: Path) -> Path:
    """The file in which a running demo says which port takes its calls."""
    return folder / "demo.json"


@contextmanager
def stage(config: PbxConfig, folder: Path, say: object = print) -> Iterator[DemoPbx]:
    """Start the demo PBX with a phone at each agent's seat; at the end everything is stopped and removed."""
    require_tools("sipp")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        pbx = stack.enter_context(DemoPbx(config))
        stack.callback(trunk_far_end(pbx, HABITS).close)
        for person in LOGINS:
            if person.extension:
                stack.enter_context(Deskphone(pbx, person.extension, HABITS))
        file = state_file(folder)
        file.write_text(json.dumps({"pid": os.getpid(), "sip_port": config.sip_port}), encoding="utf-8")
        stack.callback(file.unlink, missing_ok=True)
        yield pbx


def config(fastagi_port: int) -> PbxConfig:
    """A PBX on ports that are free now, whose dialplan asks the server on `fastagi_port`."""
    return free_config(PBX, fastagi=f"127.0.0.1:{fastagi_port}")


def secret_key(folder: Path) -> str:
    """The key that encrypts this demo's SIP passwords: the folder's own, made where there is none."""
    file = folder / "secret.key"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
            out.write(new_key() + "\n")
    return file.read_text(encoding="ascii").strip()


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Allow one demo per folder; two would share a database and each other's phones. Raises DemoUnavailable."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            remedy = (
                "end it with Ctrl-C there, or give this one a folder of its own: CTI_DEMO_DIR=var/second make run"
            )
            raise DemoUnavailable(f"a demo is running in {folder} already; {remedy}") from None
        yield


def port_or_free(wanted: int) -> int:
    """The port if nobody has it, else one that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoUnavailable("no free TCP port on 127.0.0.1")


# --- placing a call into a running demo ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Config:
    sip_port: int
    phone_password: str = ""  # callers from the trunk need none


@dataclass(frozen=True, slots=True)
class _RunningPbx:
    """As much of a DemoPbx as a caller from the trunk needs."""

    config: _Config


def ring_in(folder: Path, customer: str | None, line: str, stay_s: float, name: str | None = None) -> str:
    """Call a running demo and stay on the line; returns what was done, in words.

    Raises DemoUnavailable when no demo runs, LookupError for an unknown customer or line.

    `customer` is a seeded customer's reference, name or number, or any number; None withholds it.
    """
    ani, called = number_of(customer)
    did, queue = line_of(line)
    try:
        port = int(json.loads(state_file(folder).read_text(encoding="utf-8"))["sip_port"])
    except FileNotFoundError:
        raise DemoUnavailable("no demo is running here; start one with: make run") from None
    digits = ((3.0, "1"),) if queue == "support" else ()
    caller = Caller(ani, did, name if name is not None else called, stay_s=stay_s, digits=digits)
    placed = call(_RunningPbx(_Config(port)), caller)  # type: ignore[arg-type]
    try:
        placed.wait()
    finally:
        placed.close()
    return f"{called or ani or 'a withheld number'} called {did} ({queue})"


def number_of(customer: str | None) -> tuple[str | None, str]:
    """(number to call from, display name) of a seeded customer, or of one of CALLERS such as `expired`; any other
    number is taken as it is. Raises LookupError."""
    if customer is None:
        return None, ""
    wanted = CALLERS.get(customer, customer).casefold().removeprefix("demo-")
    for who in CUSTOMERS:
        numbers = sorted((p.split("x")[0] for p in who.phones.split()), key=lambda p: p + "x" in who.phones)
        if wanted in (who.ref.casefold(), who.name.casefold(), *numbers):
            if not numbers:
                raise LookupError(f"{who.name} has no number to call from")
            return numbers[0], who.name
    digits = wanted.lstrip("+0")
    for who in CUSTOMERS:
        if digits and any(p.split("x")[0].endswith(digits) for p in who.phones.split()):
            return wanted, who.name
    if re.fullmatch(r"\+?[0-9][0-9 ()-]{2,30}", wanted):
        return wanted, ""
    known = ", ".join([*CALLERS, *(f"{who.ref} ({who.name})" for who in CUSTOMERS if who.phones)])
    raise LookupError(f"no seeded customer {customer!r}; there are: {known}")


def line_of(line: str) -> tuple[str, str]:
    """(DID, queue) of a seeded line, by its queue's name or its number. Raises LookupError."""
    for seeded in LINES:
        if line in (seeded.queue, seeded.raw, seeded.e164):
            return seeded.raw, seeded.queue or ""
    raise LookupError(f"no line {line!r}; there are: {', '.join(f'{o.queue} ({o.raw})' for o in LINES)}")
