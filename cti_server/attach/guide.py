"""The guided attachment: reads what is there, writes what is wanted, checks after each step, ends with a card."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from cti_server.demo.render import dialplans_folder
from cti_server.doctor.examine import examine_pbx, numbers_to_queues
from cti_server.doctor.findings import Finding, Status
from cti_server.doctor.pbx import recorded
from cti_server.record import migrate
from cti_server.record.database import Database
from cti_server.rules.numbers import REGIONS
from cti_server.settings import Settings

from . import layout as layouts
from . import record, trial, wanted
from .edits import Edit, NotThere, is_in, lacking
from .edits import made as with_edit
from .hands import Hands
from .layout import Kind, Layout
from .ledger import Ledger, OfAnother
from .terminal import Declined, Terminal
from .writing import KEY, write_files, write_settings

READY_S = 60.0  # for a server that has just been started
POLL_S = 0.5
BY_HAND = "-"  # a test call that a person places


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line said; None where the administrator is asked."""

    etc: Path
    command: str
    settings_file: Path
    pbx_host: str
    server: str
    name: str | None = None
    region: str | None = None
    trunk: str | None = None
    here: bool = True
    desk: bool = True
    write: bool = False
    call: str | None = None


async def attach(choices: Choices, terminal: Terminal) -> None:
    """Raises Declined where the administrator stops, or where a check does not pass and nobody mends it."""
    hands = Hands.on(choices.etc, choices.command, here=choices.here)
    layout = layouts.read(choices.etc)
    _tell(layout, hands, terminal)
    site = _site(choices, layout, terminal)
    try:
        ledger = Ledger.begun(
            choices.settings_file.with_name(f"attach-{site.name}.json"), choices.etc, here=choices.here
        )
    except OfAnother as other:
        raise Declined(f"{other}; give this one another --name, or undo that one first") from None
    settings = await _write_ours(choices, site, layout, hands, ledger, terminal)

    terminal.step("2. The manager")
    _edit([wanted.manager(layout)], choices, hands, ledger, terminal)
    _reload(hands, "manager reload", terminal)
    await _checked(
        settings, ("manager", "permissions"), terminal, lambda: _reload(hands, "manager reload", terminal)
    )

    terminal.step("3. The dialplan")
    edits = [wanted.dialplan(layout, site)]
    if site.desk:
        features = (dialplans_folder() / "features_cti.conf").read_text(encoding="utf-8")
        edits += wanted.keys(layout, features)
    edits += _lines_of_queues(layout, site, terminal)
    _edit(edits, choices, hands, ledger, terminal)
    _reload(hands, "dialplan reload", terminal)
    if layout.kind is not Kind.PLAIN:
        _destinations(layout, terminal)
    if site.desk:
        _reload(hands, "module reload features", terminal)
    parts = ("dialplan", "desk", "FastAGI") if site.desk else ("dialplan", "FastAGI")
    await _checked(settings, parts, terminal, lambda: _reload(hands, "dialplan reload", terminal))

    terminal.step("4. People, queues, numbers")
    await _fill(settings, site, layout, terminal)

    await _checked(settings, ("lines",), terminal)

    terminal.step("5. The server")
    await _serving(settings, terminal)

    terminal.step("6. A call")
    await _call(choices, settings, layout, terminal)
    terminal.say()
    terminal.say(f"Sign in at  http://{settings.http_host}:{settings.http_port}")
    terminal.say("The way back:  cti-server attach --undo")


# --- 1 what is there, what is wanted ----------------------------------------------------------------------


def _tell(layout: Layout, hands: Hands, terminal: Terminal) -> None:
    version = (hands.cli("core show version") or "").partition(" built")[0].strip()
    terminal.step("1. What is there")
    terminal.say(f"  {version or 'Asterisk'}, {layout.kind}, in {layout.etc}")
    for name, members in layout.queues.items():
        terminal.say(f"  queue {name}: {', '.join(members) or 'no member in its file'}")
    for step in layout.steps:
        leads = f"leads to {step.queue}" if step.queue is not None else "comes in"
        terminal.say(
            f"  {step.exten} in [{step.line.section}] {leads} ({step.line.file.name}, line {step.line.number})"
        )
    if not layout.queues:
        terminal.say("  no queue was found; attach goes on without", "yellow")


def _site(choices: Choices, layout: Layout, terminal: Terminal) -> wanted.Site:
    known = Settings.load(choices.settings_file if choices.settings_file.exists() else None)
    if known.pbxs:
        raise Declined("CTI_PBXS names the PBXs here: attach writes the settings of one; add the other by hand")
    given = Answers(layout.trunks)
    for answer, wrong in (
        (choices.name, given.name),
        (choices.region, given.region),
        (choices.trunk, given.trunk),
    ):
        if answer is not None and (why := wrong(answer)) is not None:
            raise Declined(why)
    name = choices.name or terminal.ask("A name for this PBX", known.pbx, wrong=given.name)
    region = choices.region or terminal.ask(
        "The country whose numbers it dials", known.default_region, wrong=given.region
    )
    trunk = choices.trunk or ""
    if choices.trunk is None and layout.kind is Kind.PLAIN:
        first = layout.trunks[0] if layout.trunks else ""
        question = "The PJSIP endpoint for calls to the outside"
        trunk = terminal.ask(question, first, layout.trunks, given.trunk)
    return wanted.Site(
        name=name,
        server=choices.server,
        pbx_host=choices.pbx_host,
        ami_port=layout.manager_port if choices.here else known.ami_port,
        fastagi_port=known.fastagi_port,
        region=region.upper(),
        trunk=trunk,
        inside=wanted.inside(layout.phones),
        desk=choices.desk,
        secrets=_secrets(known),
        token=_token(known, choices.etc / "cti_site.conf"),
        national=layout.national,
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """What is wrong with an answer, in words; None with a good one."""

    trunks: Sequence[str]

    def name(self, answer: str) -> str | None:
        good = re.fullmatch(r"[A-Za-z0-9_-]{1,40}", answer)
        return None if good else f"{answer!r} is no name for a PBX: letters, digits, - and _"

    def region(self, answer: str) -> str | None:
        return None if answer.upper() in REGIONS else f"{answer!r} is no country: CN, GB, DE …"

    def trunk(self, answer: str) -> str | None:
        known = not answer or not self.trunks or answer in self.trunks
        return None if known else f"{answer!r} is no endpoint of pjsip.conf; it has {', '.join(self.trunks)}"

    def number(self, answer: str) -> str | None:
        return None if re.fullmatch(r"\+?[0-9]{2,20}", answer) else f"{answer!r} is no number"


def _secrets(known: Settings) -> dict[str, str]:
    """Those of the settings that there are, so that a second run changes nothing; fresh ones for the rest."""
    found = {}
    for role in wanted.ROLES:
        secret = getattr(known, f"ami_{role}_secret")
        found[role] = (secret.get_secret_value() if secret is not None else "") or secrets.token_hex(16)
    return found


def _token(known: Settings, there: Path) -> str:
    """That of the settings, else that of a cti_site.conf, which may stay as it is; a fresh one without either."""
    if known.fastagi_token is not None:
        return known.fastagi_token.get_secret_value()
    if not there.exists():
        return secrets.token_hex(16)
    found = re.search(r"Set\(CTI_TOKEN=([^)]*)\)", there.read_text(encoding="utf-8", errors="replace"))
    return found[1] if found is not None else ""


async def _write_ours(
    choices: Choices, site: wanted.Site, layout: Layout, hands: Hands, ledger: Ledger, terminal: Terminal
) -> Settings:
    terminal.say(f"  Into {choices.etc}: {', '.join(wanted.files(site, layout.kind, dialplans_folder()))}")
    terminal.say(f"  Into {choices.settings_file}: the same secrets")
    if not terminal.confirm("Write them?"):
        raise Declined("nothing was written")
    write_files(site, layout.kind, hands, ledger, terminal)
    if KEY in write_settings(choices.settings_file, site, Settings.load(None)):
        terminal.say(f"  {KEY} in {choices.settings_file} encrypts SIP passwords: keep a copy beside your backups")
    settings = Settings.load(choices.settings_file)
    await migrate.upgrade(settings.database_url)
    terminal.good("files, settings and database")
    return settings


# --- edits of their files ---------------------------------------------------------------------------------


def _lines_of_queues(layout: Layout, site: wanted.Site, terminal: Terminal) -> list[Edit]:
    edits = []
    # From below, so that a line's number is still its own when its turn comes.
    for step in sorted(layout.steps, key=lambda step: (str(step.line.file), -step.line.number)):
        if layout.kind is not Kind.PLAIN:
            continue
        if step.asked and (not site.desk or "cti-leg" in step.line.text):
            terminal.good(f"{step.line.file.name}, line {step.line.number}: it asks who is calling already")
            continue
        edit = wanted.asking(step, layout.etc, desk=site.desk)
        if edit is not None:
            edits.append(edit)
            continue
        place = f"{step.line.file.name}, line {step.line.number}, [{step.line.section}], extension {step.exten}"
        why = "steps are counted there, or another application does it"
        terminal.say(f"  {place}: before its Queue(), by hand ({why}):", "yellow")
        asks = [] if step.asked else [f"{wanted.IDENTIFY}", f"{wanted.PRIORITY}"]
        terminal.lines([*asks, f"and  {wanted.LEG}  among its options"])
    for file, number, text in layout.elsewhere:
        terminal.say(f"  {file}, line {number}, has {text}: before it, by hand and in its language:", "yellow")
        terminal.lines([f"{wanted.IDENTIFY}", f"{wanted.PRIORITY}", f"and  {wanted.LEG}  among its options"])
    return edits


def _destinations(layout: Layout, terminal: Terminal) -> None:
    """What only the PBX's own screens may write; after our lines, for a destination without them ends calls."""
    terminal.say("  On its own screens, one for each place that a line leads to:")
    if layout.kind is Kind.ISSABEL:
        targets = [f"{wanted.destination(queue)},s,1" for queue in layout.queues]
        terminal.lines(
            [
                *(f"PBX → Custom Destinations → Add: {target}" for target in targets),
                "Inbound Routes: point the route at it; Apply",
            ]
        )
    else:
        terminal.lines(
            [
                "Admin → Custom Destinations → Add: target cti-freepbx,s,1, Return: Yes, destination: your queue",
                "Connectivity → Inbound Routes: point the route at it; Apply Config",
            ]
        )
    terminal.wait("Tell me when it is done.")


def _edit(edits: list[Edit], choices: Choices, hands: Hands, ledger: Ledger, terminal: Terminal) -> None:
    for whole in edits:
        text = hands.text(whole.file)
        edit = lacking(text, whole)
        if edit is None:
            terminal.good(f"{whole.file}: it is there")
            continue
        terminal.say(f"  {choices.etc / edit.file}, {edit.place}:")
        terminal.lines(edit.new if edit.old is None else (f"; in place of: {edit.old.strip()}", *edit.new))
        if choices.here and (choices.write or terminal.confirm("Write it for you?")):
            try:
                changed = with_edit(text, edit)
            except NotThere as other:
                terminal.bad(f"{other}; write it by hand")
                continue
            ledger.note(edit, text)
            hands.write(edit.file, changed)
            terminal.good(f"{edit.file}: written")
        else:
            terminal.wait("Tell me when it is written.")
            if choices.here and not is_in(hands.text(edit.file), edit):
                terminal.bad(f"{edit.file} does not have these lines yet")


def _reload(hands: Hands, line: str, terminal: Terminal) -> None:
    if hands.cli(line) is not None:
        terminal.good(line)
        return
    terminal.say("  On the PBX:")
    terminal.lines([f'asterisk -rx "{line}"'])
    terminal.wait("Tell me when it is done.")


# --- checks -------------------------------------------------------------------------------------------------


async def _checked(
    settings: Settings, parts: tuple[str, ...], terminal: Terminal, reload: Callable[[], None] = lambda: None
) -> None:
    """What the doctor says of these parts, until nothing is in the way or the administrator goes on. What was
    mended counts after `reload`."""
    while True:
        (pbx,) = settings.attached()
        known = await recorded.read(settings.database_url)
        findings = [f for f in await examine_pbx(settings, pbx, known) if _is_of(f, parts)]
        problems = [f for f in findings if f.status is Status.PROBLEM]
        for finding in problems:
            terminal.bad(finding.what)
            terminal.lines((finding.remedy or "").splitlines())
        for finding in [f for f in findings if f.status is Status.WARNING and parts == ("lines",)]:
            terminal.say(f"  ! {finding.what}", "yellow")
            terminal.lines((finding.remedy or "").splitlines())
        if not problems:
            terminal.good(f"checked: {', '.join(parts)}")
            return
        if terminal.yes:
            raise Declined(f"{len(problems)} problems; what mends each stands below it")
        if not terminal.confirm("Look again?"):
            return
        reload()


def _is_of(finding: Finding, parts: tuple[str, ...]) -> bool:
    return finding.check.partition(": ")[2] in parts


# --- 4 the record, 5 the server, 6 the call ----------------------------------------------------------------


async def _fill(settings: Settings, site: wanted.Site, layout: Layout, terminal: Terminal) -> None:
    async with Database(settings.database_url) as database, database.read() as conn:
        seats = await record.free_seats(conn, layout)
    for seat, name in list(seats.items()):
        seats[seat] = terminal.ask(f"Who sits at {seat}", name)
    found = {step.exten: [step.queue] if step.queue is not None else [] for step in layout.steps if step.is_number}
    (pbx,) = settings.attached()
    for number, leads_to in (await numbers_to_queues(settings, pbx, layout.trunks)).items():
        found.setdefault(number, leads_to)
    async with Database(settings.database_url) as database, database.begin() as conn:
        queues = await record.add_queues(conn, site.name, layout)
        numbers = await record.add_lines(conn, found, site.region)
        people = await record.add_people(conn, site.name, seats)
    terminal.good(f"queues: {', '.join(queues) or 'known already'}")
    terminal.good(f"numbers: {', '.join(numbers) or 'known already, or none'}")
    for one in people:
        at = f", at {one.seat}" if one.seat is not None else ""
        terminal.good(f"{one.role} {one.login} ({one.name}{at}), password {one.password}")


async def _serving(settings: Settings, terminal: Terminal) -> None:
    url = f"http://{settings.http_host}:{settings.http_port}/readyz"
    async with httpx.AsyncClient(verify=False) as http:  # noqa: S501 - plain http to this machine
        if not await _ready(http, url):
            terminal.say("  Start it now, here or in another terminal:")
            terminal.lines(["systemctl enable --now cti-server     or:  cti-server serve"])
            terminal.wait("Tell me when it runs.")
            terminal.say(f"  I look at {url} for up to {READY_S:.0f} s …", "dim")
        try:
            async with asyncio.timeout(READY_S):
                while not await _ready(http, url):  # noqa: ASYNC110 - another process has no event for us
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise Declined(f"{url} does not say that it is ready; its log says why") from None
        page = await http.get(url.removesuffix("readyz"))
    terminal.good("it is ready, and attached to the PBX")
    if page.status_code == 404:
        terminal.say(
            "  Nobody can sign in yet: the agents' desktop is not built. In the checkout, here:", "yellow"
        )
        terminal.lines(["make desktop     and start the server again"])


async def _ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.HTTPError:
        return False


async def _call(choices: Choices, settings: Settings, layout: Layout, terminal: Terminal) -> None:
    (pbx,) = settings.attached()
    steps = [step for step in layout.steps if step.is_number]
    numbers = [step.exten for step in steps]
    if not numbers:
        terminal.say("  Call one of your lines, and look at the desktop.")
        return
    async with Database(settings.database_url) as database:
        began, caller, exten = datetime.now(UTC), None, None
        if choices.call == BY_HAND:
            terminal.say(f"  Call {' or '.join(sorted(set(numbers)))} now, from any phone.")
        else:
            known = await trial.a_known_number(database) or "13800138000"
            step = steps[0]
            exten = step.exten
            caller = choices.call or terminal.ask(
                f"I call {exten} through the PBX, as the number", known, wrong=Answers(()).number
            )
            await trial.place(pbx, step, caller)
        card = await trial.seen(database, pbx.name, began)
    if card is None:
        raise Declined("no call came to the server; cti-server doctor says what is in the way")
    trial.show(card, caller, exten, terminal)
