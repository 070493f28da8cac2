"""Writes one PBX instance's configuration: dialplans/ as it is, plus this instance's ports and secrets.

The files that an administrator copies are used unchanged; what differs goes into the files that include them, by
Asterisk's own `[section](+)` addition. So the demo and the live tests test the very files that are shipped.
"""

from __future__ import annotations

import math
import shutil
import struct
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cti_server.demo.seed_data import LINES
from cti_server.rules import dial_fence
from cti_server.rules.dial_policy import DEFAULT

ROLES = ("cti-events", "cti-agent", "cti-call", "cti-originate")
NOTIFY = "cti-notify"  # optional: there only when the configuration has a secret for it
DESKPHONES = ("1001", "1002", "1003", "1004", "1005")
BROWSERS = ("1101", "1102", "1103", "1104", "1105")
WORK_FOLDERS = (
    "etc",
    "lib",
    "spool",
    "run",
    "log",
    "log/cdr-csv",
    "log/cel-custom",
    "moh",
    "keys",
    "agi-bin",
    "python",
)

# Modules that the demo does not use, or that would listen on further ports or need a database.
#: by which whoever may ask Getvar reads files, addresses and passwords: the demo's dialplan uses none of them
READING_MODULES = ["func_config", "func_curl", "func_sorcery"]
UNUSED_MODULES = [
    "chan_iax2",
    "chan_unistim",
    "chan_motif",
    "chan_console",
    "chan_audiosocket",
    "chan_websocket",
    "pbx_dundi",
    "pbx_lua",
    "pbx_ael",
    "pbx_realtime",
    "res_calendar*",
    "res_config_*",
    "res_odbc*",
    "res_phoneprov",
    "res_pjsip_phoneprov_provider",
    "res_hep*",
    "res_snmp",
    "res_xmpp",
    "res_smdi",
    "res_fax*",
    "res_stun_monitor",
    "res_statsd",
    "res_prometheus",
    "res_adsi",
    "app_voicemail*",
    "app_minivm",
    "app_adsiprog",
    "app_getcpeid",
    "app_jack",
    "app_festival",
    "app_alarmreceiver",
    "app_sms",
    "app_mp3",
    "app_dictate",
    "app_externalivr",
    "app_speech_utils",
    "app_followme",
    "cdr_odbc",
    "cdr_adaptive_odbc",
    "cdr_pgsql",
    "cdr_radius",
    "cdr_tds",
    "cdr_manager",
    "cdr_sqlite3_custom",
    "cel_odbc",
    "cel_pgsql",
    "cel_radius",
    "cel_tds",
    "cel_manager",
    "cel_sqlite3_custom",
    "func_odbc",
    "res_stir_shaken",
    "res_pjsip_stir_shaken",
    "res_geolocation",
    "res_pjsip_geolocation",
    "res_resolver_unbound",
    "res_speech_aeap",
    "res_aeap",
    "format_ogg_speex",
    "res_stasis_test",
    "app_test",
    "app_zapateller",
    "app_sla",
    "app_agent_pool",
    "app_amd",
    "app_stasis*",
    "res_stasis_broadcast",
    "res_clialiases",
    "res_http_media_cache",
    "res_pjsip_config_wizard",
    "cdr_custom",
    "cdr_csv",
]


@dataclass(frozen=True)
class PbxConfig:
    """One instance: name (also systemname, the prefix of every Uniqueid), ports (0: none), secrets by role."""

    name: str
    sip_port: int
    ami_port: int
    http_port: int
    ami_tls_port: int = 0
    https_port: int = 0
    """Lets browser phones connect over wss as well as ws."""
    rtp_ports: tuple[int, int] = (20000, 29999)
    trunk_port: int = 5070
    fastagi: str = "127.0.0.1:4573"
    secrets: Mapping[str, str] = field(default_factory=dict)
    phone_password: str = "demo"  # noqa: S105 - phones of a PBX on loopback
    queue_overrides: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)
    """Per queue, or "*" for all: what replaces settings of queues_cti.conf, as {"support": {"timeout": 3}}."""
    globals: Mapping[str, str | int] = field(default_factory=dict)
    site: Mapping[str, str] = field(default_factory=dict)
    """Replaces values of cti_site.conf, e.g. {"CTI_DEADLINE": "0.5"}."""
    fence: str | None = None
    """The fence of the dial policy; None for that of the default policy in China, with the demo's lines."""
    readable: bool = False
    """Loads what lets a manager's user read files, as the distributions' packages do."""


def dialplans_folder() -> Path:
    """dialplans/ of the checkout, or as packaged in the wheel."""
    here = Path(__file__).resolve()
    for folder in (here.parents[2] / "dialplans", here.parents[1] / "dialplans"):
        if (folder / "extensions_cti.conf").exists():
            return folder
    raise FileNotFoundError("dialplans/ is neither beside the package nor in it; reinstall cti-server")


def render(config: PbxConfig, work: Path, inside: str, modules: Path) -> None:
    """Fills the work folder. `inside` is its path as Asterisk will see it, `modules` the folder of its modules."""
    for folder in WORK_FOLDERS:
        (work / folder).mkdir(parents=True, exist_ok=True)
    source = dialplans_folder()
    for file in source.glob("*.conf"):
        shutil.copyfile(file, work / "etc" / file.name)
    for script in (source / "agi-bin").glob("*.py"):
        shutil.copy(script, work / "agi-bin" / script.name)
    for name, text in files(config, inside, modules).items():
        (work / "etc" / name).write_text(text, encoding="utf-8")
    (work / "etc" / "manager.conf").chmod(0o600)
    _music(work / "moh" / "hold.wav")


def _fence(config: PbxConfig) -> str:
    if config.fence is not None:
        return config.fence
    return dial_fence.made(DEFAULT, dial_fence.site_of(DEFAULT, "CN", "e164", LINES)).text


def files(config: PbxConfig, inside: str, modules: Path) -> dict[str, str]:
    """The instance's own files, by name."""
    patterns = UNUSED_MODULES if config.readable else [*UNUSED_MODULES, *READING_MODULES]
    unused = sorted({module.name for pattern in patterns for module in modules.glob(f"{pattern}.so")})
    return {
        "asterisk.conf": _asterisk(config, inside),
        "modules.conf": "[modules]\nautoload = yes\n" + "".join(f"noload = {name}\n" for name in unused),
        "logger.conf": "[general]\ndateformat = %F %T.%3q\n"
        "[logfiles]\nmessages.log => notice,warning,error,verbose(3)\n",
        "extensions.conf": "#include extensions_cti_demo.conf\n[globals](+)\n" + _settings(config.globals),
        "cti_site.conf": _site(config),
        dial_fence.FILE: _fence(config),
        "queues.conf": _queues(config),
        "pjsip.conf": _pjsip(config),
        "manager.conf": _manager(config, inside),
        "http.conf": _http(config, inside),
        "rtp.conf": f"[general]\nrtpstart = {config.rtp_ports[0]}\nrtpend = {config.rtp_ports[1]}\n"
        "icesupport = yes\nstrictrtp = no\n",
        # Atxfer presses keys; a machine that is busy with more than this PBX may need over 3 s for the next.
        "features.conf": "#include features_cti.conf\n\n[general](+)\ntransferdigittimeout = 15\n",
        "res_parking.conf": "#include res_parking_cti.conf\n",
        "confbridge.conf": "#include confbridge_cti.conf\n",
        "cel.conf": "#include cel_cti.conf\n",
        "cel_custom.conf": "#include cel_custom_cti.conf\n",
        "cdr.conf": "[general]\nenable = no\n",
        "musiconhold.conf": f"[default]\nmode = files\ndirectory = {inside}/moh\n",
        "indications.conf": "[general]\ncountry = us\n[us]\ndescription = tones\nringcadence = 2000,4000\n"
        "dial = 350+440\n"
        "busy = 480+620/500,0/500\nring = 440+480/2000,0/4000\ncongestion = 480+620/250,0/250\n",
        "acl.conf": "",
        "ari.conf": "[general]\nenabled = no\n",
        "pjproject.conf": "[startup]\n",
        "pjsip_notify.conf": "[talk]\nEvent = talk\n",
        "ccss.conf": "[general]\n",
        "udptl.conf": "[general]\n",
        "stasis.conf": "[threadpool]\n",
    }


def _asterisk(config: PbxConfig, inside: str) -> str:
    return f"""[directories]
astetcdir => {inside}/etc
astvarlibdir => {inside}/lib
astdbdir => {inside}/lib
astkeydir => {inside}
astdatadir => /usr/share/asterisk
astagidir => {inside}/agi-bin
astspooldir => {inside}/spool
astrundir => {inside}/run
astlogdir => {inside}/log
astsbindir => /usr/sbin

[options]
systemname = {config.name}
verbose = 3
documentation_language = en_US
"""


def _http(config: PbxConfig, inside: str) -> str:
    text = f"#include http_cti.conf\n[general](+)\nbindport = {config.http_port}\n"
    if config.https_port:
        text += (
            f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{config.https_port}\ntlscertfile = {inside}/keys/ami.pem\n"
        )
    return text


def _site(config: PbxConfig) -> str:
    values = {
        "CTI_FASTAGI": config.fastagi,
        "CTI_FASTAGI_2": "",
        "CTI_PBX": config.name,
        "CTI_TOKEN": "",
        "CTI_DEADLINE": "1",
        "CTI_TRUNK": "cti-trunk",
        "CTI_VIA": "",
        "CTI_INSIDE": "^1[01]0[1-5]$",
        "CTI_PHONES": "cti-phones",
        "CTI_RING": "20",
        "CTI_NUMBER": "",
        "CTI_PRIVATE": "masked",
        "CTI_RECORDINGS": "cti",
        "CTI_NOBODY": "cti-nobody,s,1",
        **config.site,
    }
    lines = [f"Set({name}={value})" for name, value in values.items()] + ["Return()"]
    return "[cti-site]\nexten => s,1," + "\n same => n,".join(lines) + "\n"


def _queues(config: PbxConfig) -> str:
    text = "[general]\npersistentmembers = yes\nlog_membername_as_agent = yes\nshared_lastcall = yes\n"
    text += "#include queues_cti.conf\n"
    for queue in ("support", "sales", "vip", "freepbx", "night"):
        changed = {**config.queue_overrides.get("*", {}), **config.queue_overrides.get(queue, {})}
        if changed:
            text += f"[{queue}](+)\n{_settings(changed)}"
    return text


def _pjsip(config: PbxConfig) -> str:
    parts = [
        "[global]\ntype = global\nendpoint_identifier_order = username,ip,anonymous\nuser_agent = Asterisk\n",
        f"[transport-udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{config.sip_port}\n",
        "[transport-ws]\ntype = transport\nprotocol = ws\nbind = 127.0.0.1\n",
        "[transport-wss]\ntype = transport\nprotocol = wss\nbind = 127.0.0.1\n" if config.https_port else "",
        "#include pjsip_cti.conf\n",
        "[cti-trunk](+type=endpoint)\naors = demo-trunk\n",
        f"[demo-trunk]\ntype = aor\ncontact = sip:127.0.0.1:{config.trunk_port}\n",
    ]
    media = "media_address = 127.0.0.1\nbind_rtp_to_media_address = yes\n"
    # sipua.py registers the deskphones on behalf of SIPp, so the contact is not where the REGISTER comes from.
    parts += [f"[{name}](+type=endpoint)\n{media}" for name in ("cti-trunk", *DESKPHONES, *BROWSERS)]
    # SIPp sends no voice, so with a timeout every call of theirs would be taken for one from a dead phone.
    quiet = "rewrite_contact = no\nrtp_timeout = 0\nrtp_timeout_hold = 0\n"
    parts += [f"[{phone}](+type=endpoint)\n{quiet}" for phone in DESKPHONES]
    password = f"password = {config.phone_password}\n"
    parts += [f"[{phone}-auth](+type=auth)\n{password}" for phone in (*DESKPHONES, *BROWSERS)]
    return "\n".join(parts)


def _manager(config: PbxConfig, inside: str) -> str:
    text = f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {config.ami_port}\n"
    text += "timestampevents = yes\nwebenabled = no\n"
    if config.ami_tls_port:
        text += f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{config.ami_tls_port}\n"
        text += f"tlscertfile = {inside}/keys/ami.pem\n"
    text += "#include manager_cti.conf\n"
    if NOTIFY in config.secrets:
        text += f"[{NOTIFY}](cti-user)\nread =\nwrite = system\n"
    for role in config.secrets:
        text += f"[{role}](+)\nsecret = {config.secrets[role]}\n"
    return text


def _settings(values: Mapping[str, str | int]) -> str:
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def _music(file: Path, seconds: int = 8, rate: int = 8000) -> None:
    """Music on hold: two soft notes that swell and fade, free of any licence."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        total = seconds * rate
        swell = (1200 * math.sin(math.pi * n / total) ** 2 for n in range(total))
        out.writeframes(
            b"".join(
                struct.pack(
                    "<h",
                    int(
                        loud * (math.sin(2 * math.pi * 220 * n / rate) + math.sin(2 * math.pi * 277.2 * n / rate))
                    ),
                )
                for n, loud in enumerate(swell)
            )
        )
