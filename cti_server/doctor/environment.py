"""The settings themselves: CTI_ variables that nothing reads, and combinations that cannot be intended."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from cti_server.asterisk.actions import Role
from cti_server.doctor.findings import Finding, say
from cti_server.settings import PbxSettings, Settings
from cti_server.settings_file import ETC
from cti_server.settings_left_out import PREFIX, given, left_out

CHECK = "settings"


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
    strange = left_out(environ, env_file)
    for one in strange:
        code = "settings.unknown" if one.is_name else "settings.line"
        yield say(CHECK, code, what=one.what, where=one.where, remedy=one.remedy)
    if not strange:
        yield say(CHECK, "settings.ok", count=len(given(environ, env_file)))
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
