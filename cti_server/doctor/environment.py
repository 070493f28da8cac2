"""The settings themselves: CTI_ variables that nothing reads, and combinations that cannot be intended."""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from dotenv import dotenv_values

from cti_server.asterisk.actions import Role
from cti_server.doctor.findings import Finding, say
from cti_server.settings import PbxSettings, Settings
from cti_server.settings_file import ETC, NAMED_BY

CHECK = "settings"
PREFIX = "CTI_"
OF_THE_DEMO = frozenset({"CTI_ASTERISK", "CTI_ASTERISK_ROOT", "CTI_DEBIAN_MIRROR", "CTI_DEMO_DIR"})


def known() -> frozenset[str]:
    return OF_THE_DEMO | {NAMED_BY} | {PREFIX + name.upper() for name in Settings.model_fields}


def variable(settings: Settings, pbx: PbxSettings, field: str) -> str:
    """The name of a PBX's setting as the administrator wrote it: `CTI_AMI_HOST`, or its place in CTI_PBXS."""
    if settings.pbxs:
        return f"{field.replace('_', ' ')} of {pbx.name} in CTI_PBXS"
    return f"CTI_AMI_{field.upper()}"


def line(settings: Settings, pbx: PbxSettings, field: str, text: str) -> str:
    """The line that sets it: `In .env:  CTI_AMI_TLS=true`, or the equivalent in CTI_PBXS."""
    if not settings.pbxs:
        return f"In .env:  CTI_AMI_{field.upper()}={text}"
    quoted = text if text in ("true", "false") else f'"{text}"'
    if (role := field.removesuffix("_secret")) != field:
        return f'In .env, CTI_PBXS, "{pbx.name}":  "{role}": {{"user": "cti-{role}", "secret": {quoted}}}'
    return f'In .env, CTI_PBXS, "{pbx.name}":  "{field}": {quoted}'


def secret_variable(settings: Settings, pbx: PbxSettings, role: Role) -> str:
    return variable(settings, pbx, f"{role.value}_secret")


def given(environ: Mapping[str, str], env_file: Path | None) -> dict[str, str]:
    """Every variable that begins with CTI_, and where it is set: `environment` or the file."""
    found = {name: "environment" for name in environ if name.upper().startswith(PREFIX)}
    if env_file is not None and env_file.is_file():
        found = {
            name: str(env_file) for name in dotenv_values(env_file) if name.upper().startswith(PREFIX)
        } | found
    return found


def in_its_file(settings: Settings, finding: Finding) -> Finding:
    """The finding with the real settings file in its remedy: the texts call it `.env`."""
    if finding.remedy is None:
        return finding
    return replace(finding, remedy=finding.remedy.replace("In .env", f"In {settings.file or ETC}"))


def examine(
    settings: Settings, environ: Mapping[str, str] | None = None, env_file: Path | None = None
) -> list[Finding]:
    """`env_file` is the settings' own file unless named."""
    file = env_file or settings.file
    return list(_findings(settings, os.environ if environ is None else environ, file))


def _findings(settings: Settings, environ: Mapping[str, str], env_file: Path | None) -> Iterator[Finding]:
    found = given(environ, env_file)
    names = known()
    strange = sorted(name for name in found if name.upper() not in names)
    for name in strange:
        near = difflib.get_close_matches(name.upper(), sorted(names), n=1, cutoff=0.6)
        remedy = f"Write {near[0]}" if near else "Remove it."
        yield say(CHECK, "settings.unknown", name=name, where=found[name], remedy=remedy)
    if not strange:
        yield say(CHECK, "settings.ok", count=len(found))
    if settings.pbxs:
        ignored = sorted(
            PREFIX + n.upper() for n in settings.model_fields_set if n == "pbx" or n.startswith("ami_")
        )
        if ignored:
            yield say(CHECK, "settings.shadowed", names=", ".join(ignored))
    if not loopback(settings.http_host) and not settings.cookie_secure:
        yield say(CHECK, "settings.exposed", host=settings.http_host)


def loopback(host: str) -> bool:
    """Whether this address or name means this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
