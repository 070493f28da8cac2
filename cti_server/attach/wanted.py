"""What the PBX is to have: our files with this site's values, and the edits of its own files. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .edits import Edit
from .layout import Kind, Layout
from .steps import QueueStep, split_call

ROLES = ("events", "agent", "call", "originate")
#: files of ours → whether this site's values go into it
FILES = (
    "extensions_cti.conf",
    "extensions_cti_desk.conf",
    "features_cti.conf",
    "cti_site.conf",
    "manager_cti.conf",
)
IDENTIFY = "GosubIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1)"
PRIORITY = 'ExecIf($["${CTI_PRIORITY}" != ""]?Set(QUEUE_PRIO=${CTI_PRIORITY}))'
INHERIT = "GosubIf($[${DIALPLAN_EXISTS(cti-inherit,s,1)}]?cti-inherit,s,1)"
LEG = "b(cti-leg^s^1)"


_QUEUE_LINE = re.compile(
    r"^(\s*)(exten|same)(\s*=>?\s*)(?:([^,()]+),)?(1|n)(\([^)]*\))?,\s*(Queue)\s*\(", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Site:
    """What the administrator decided. `server` and `pbx_host` are addresses, each as the other reaches it.
    `national`: the PBX's outbound routes know no number that begins with `+`. `token` is what the dialplan's
    questions show, '' for nothing."""

    name: str
    server: str
    pbx_host: str
    ami_port: int
    fastagi_port: int
    region: str
    trunk: str
    inside: str
    desk: bool
    secrets: Mapping[str, str]
    token: str
    national: bool = False


def files(site: Site, kind: Kind, source: Path) -> dict[str, str]:
    """Our files by name, as they go into /etc/asterisk. `source` is the folder dialplans/."""
    names = [name for name in FILES if site.desk or name not in ("extensions_cti_desk.conf", "features_cti.conf")]
    texts = {name: (source / name).read_text(encoding="utf-8") for name in names}
    for role in ROLES:
        texts["manager_cti.conf"] = re.sub(
            rf"(\[cti-{role}\]\(cti-user\)\nsecret = ).*", rf"\g<1>{site.secrets[role]}", texts["manager_cti.conf"]
        )
    permit = f"permit = {site.server}/255.255.255.255"
    texts["manager_cti.conf"] = texts["manager_cti.conf"].replace("permit = 127.0.0.1/255.255.255.255", permit)
    values = {
        "CTI_FASTAGI": f"{site.server}:{site.fastagi_port}",
        "CTI_PBX": site.name,
        "CTI_TOKEN": site.token,
        "CTI_TRUNK": site.trunk,
        "CTI_INSIDE": site.inside,
    }
    if kind is not Kind.PLAIN:
        values |= {"CTI_VIA": "from-internal", "CTI_PHONES": "from-internal-xfer"}
    for name, value in values.items():
        before, sign, after = texts["cti_site.conf"].partition(f"Set({name}=")
        texts["cti_site.conf"] = before + sign + value + ")\n" + after.partition("\n")[2]
    return texts


def inside(phones: Sequence[str]) -> str:
    """A regular expression of the numbers of these phones: `^10[0-9]{2}$`; a broad one where there are none.

    Two digits at least are left free: the next phone is seldom within ten of the first two."""
    if not phones:
        return "^[1-7][0-9]{2,4}$"
    lengths = {len(phone) for phone in phones}
    if len(lengths) > 1:
        return f"^[0-9]{{{min(lengths)},{max(lengths)}}}$"
    (length,) = lengths
    alike = itertools.takewhile(lambda digits: len(set(digits)) == 1, zip(*phones, strict=True))
    common = "".join(digits[0] for digits in alike)[: max(0, length - 2)]
    return f"^{common}[0-9]{{{length - len(common)}}}$"


def settings(site: Site, port: int) -> str:
    """The lines of the server's settings file."""
    secrets = "".join(f"CTI_AMI_{role.upper()}_SECRET={site.secrets[role]}\n" for role in ROLES)
    local = site.pbx_host in ("127.0.0.1", "localhost")
    far = "" if local else f"CTI_FASTAGI_HOST={site.server}\nCTI_FASTAGI_ALLOW=127.0.0.0/8,{site.pbx_host}\n"
    token = f"CTI_FASTAGI_TOKEN={site.token}\n" if site.token else ""
    dial = "CTI_DIAL=national\n" if site.national else ""
    return (
        f"CTI_PBX={site.name}\nCTI_AMI_HOST={site.pbx_host}\nCTI_AMI_PORT={site.ami_port}\n{secrets}"
        f"CTI_FASTAGI_PORT={site.fastagi_port}\n{token}{far}{dial}CTI_HTTP_PORT={port}\n"
        f"CTI_DEFAULT_REGION={site.region}\n"
    )


# --- edits of their files ---------------------------------------------------------------------------------


def manager(layout: Layout) -> Edit:
    section = "[general](+)" if layout.manager_general else "[general]"
    general = (section, "enabled = yes", "timestampevents = yes")
    include = "#tryinclude manager_cti.conf"
    if layout.kind is Kind.PLAIN:
        return Edit("manager.conf", "at the end", (*general, include))
    return Edit("manager_custom.conf", "at the end", (include, "[general](+)", "timestampevents = yes"))


def dialplan(layout: Layout, site: Site) -> Edit:
    includes = ["#tryinclude extensions_cti.conf"]
    if site.desk:
        includes.append("#tryinclude extensions_cti_desk.conf")
        includes.append("#tryinclude extensions_cti_fence.conf")  # there once the administrator makes it
    if layout.kind is Kind.PLAIN:
        return Edit("extensions.conf", "at the end", tuple(includes))
    # Issabel's destinations have no "Return", so there is one for each queue, which leads there itself.
    ends = {"cti-freepbx": "Return()"}
    if layout.kind is Kind.ISSABEL:
        ends = {destination(queue): f"Goto(ext-queues,{queue},1)" for queue in layout.queues}
    contexts = [
        ("", f"[{name}]", f"exten => s,1,{IDENTIFY}", *(f" same => n,{step}" for step in (INHERIT, PRIORITY, end)))
        for name, end in ends.items()
    ]
    return Edit(
        "extensions_custom.conf", "at the end", (*includes, *(line for lines in contexts for line in lines))
    )


def destination(queue: str) -> str:
    """The context that asks who is calling, and goes on to this queue of Issabel."""
    return f"cti-to-{queue}"


def keys(layout: Layout, features: str) -> list[Edit]:
    """`features` is the text of features_cti.conf, whose lines go into two files of FreePBX."""
    if layout.kind is Kind.PLAIN:
        return [Edit("features.conf", "at the end", ("#tryinclude features_cti.conf",))]
    parts: dict[str, list[str]] = {}
    section = ""
    for line in features.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith(";"):
            parts.setdefault(section, []).append(line)
    return [
        Edit(f"features_{section}_custom.conf", "at the end", tuple(parts[section]))
        for section in ("general", "applicationmap")
    ]


def asking(step: QueueStep, etc: Path, *, desk: bool) -> Edit | None:
    """The edit that asks who is calling before this Queue(); None for a step that cannot be edited safely, such as
    one with a priority counted by hand."""
    raw = step.line.file.read_bytes().decode("utf-8", "surrogateescape").splitlines()[step.line.number - 1]
    found = _QUEUE_LINE.match(raw)
    if found is None or (step.by_hand and not step.asked):
        return None
    try:
        arguments, after = split_call(raw[found.end() :])
    except ValueError:
        return None
    if after.strip() and not after.lstrip().startswith(";"):
        return None
    indent, word, sign, exten, priority, label, _ = found.groups(default="")
    head = f"{indent}{word}{sign}{exten + ',' if exten else ''}"
    rest = f"{indent}{word}{sign}{exten},n" if word.lower() == "exten" else f"{indent}{word}{sign}n"
    queue = f"Queue({with_leg(arguments) if desk else ','.join(arguments)})"
    new: tuple[str, ...] = (f"{head}{priority}{label},{IDENTIFY}", f"{rest},{PRIORITY}", f"{rest},{queue}{after}")
    if step.asked:  # the desk came later
        new = (f"{head}{priority}{label},{queue}{after}",)
    file = step.line.file
    name = str(file.relative_to(etc) if file.is_relative_to(etc) else file)
    return Edit(name, f"[{step.line.section}], line {step.line.number}", new, raw, step.line.number)


def with_leg(arguments: Sequence[str]) -> str:
    """The arguments of a Queue() with what an agent's leg needs for hold, transfer and recording."""
    queue, options, *rest = [*arguments, ""] if len(arguments) == 1 else arguments
    plain = re.sub(r"\([^)]*\)", "", options)
    options += "".join(letter for letter in "tk" if letter not in plain)
    if "b" not in plain:
        options += LEG
    return ",".join([queue, options, *rest])
