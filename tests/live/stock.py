"""A stock Asterisk: the packaged samples as they are, and beside them what a small call center would have written
itself. Nothing of ours is in it."""

from __future__ import annotations

import shutil
import stat
import time
from pathlib import Path

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.render import UNUSED_MODULES, WORK_FOLDERS

LINE, SUPPORT = "4008001000", "support"
PHONES = ("2001", "2002")

#: what the administrator of this PBX wrote long before anybody thought of a CTI server
PJSIP = """
; ---- ours ----
[global]
type=global
endpoint_identifier_order=username,ip,anonymous
[transport-lo]
type=transport
protocol=udp
bind=127.0.0.1:{sip}

[carrier]
type=endpoint
context=from-carrier
disallow=all
allow=ulaw,alaw
aors=carrier
direct_media=no
[carrier]
type=aor
contact=sip:127.0.0.1:{trunk}
[carrier]
type=identify
endpoint=carrier
match=127.0.0.1

[phone](!)
type=endpoint
context=phones
disallow=all
allow=ulaw,alaw
direct_media=no
rewrite_contact=no
"""
PHONE = """
[{number}](phone)
auth={number}
aors={number}
mailboxes={number}@default
[{number}]
type=auth
auth_type=userpass
username={number}
password={password}
[{number}]
type=aor
max_contacts=1
remove_existing=yes
"""
EXTENSIONS = """
; ---- ours ----
[from-carrier]
exten => 4008001000,1,Answer()
 same => n,Playback(silence/1)
 same => n,Queue(support,t,,,60)
 same => n,VoiceMail(2001@default,u)
 same => n,Hangup()
exten => 4008001001,1,Goto(menu,s,1)

[menu]
exten => s,1,Answer()
 same => n,Background(silence/1)
 same => n,WaitExten(5)
exten => 1,1,Queue(support,t)
exten => 2,1,ExecIf($["${CALLERID(num)}" != ""]?Queue(sales,t))

[phones]
exten => _20XX,1,Dial(PJSIP/${EXTEN},20,t)
 same => n,VoiceMail(${EXTEN}@default,u)
exten => _9X.,1,Dial(PJSIP/${EXTEN:1}@carrier,60)
"""
QUEUES = """
; ---- ours ----
[support]
strategy = ringall
timeout = 15
musicclass = default
member => PJSIP/2001
member => PJSIP/2002
[sales]
member => PJSIP/2002
"""
VOICEMAIL = "\n; ---- ours ----\n[default](+)\n2001 => 1234,Li Wei\n2002 => 1234,Wang Fang\n"


class StockPbx(DemoPbx):
    """A context manager, as DemoPbx is. `etc` is its /etc/asterisk, `command` a program that is its `asterisk`."""

    def __init__(self) -> None:
        super().__init__(free_config("stock"))

    @property
    def etc(self) -> Path:
        return self.work / "etc"

    @property
    def command(self) -> Path:
        """`asterisk -rx "…"` for a program that knows nothing of this process."""
        program = self.work / "asterisk"
        if not program.exists():
            program.write_text(
                f"#!/bin/sh\nexec nsenter -t $(cat {self.work}/inner) -m -r {self._tree.binary} "
                f'-C {self._inside}/etc/asterisk.conf "$@"\n'
            )
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    def start(self) -> None:
        super().start()
        assert self._process is not None
        inner = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()[0]
        (self.work / "inner").write_text(inner)

    def _prepare(self) -> None:
        if self._tree.is_system:
            raise DemoUnavailable("a stock Asterisk is tried in a tree of its own only; unset CTI_ASTERISK")
        for folder in WORK_FOLDERS:
            (self.work / folder).mkdir(parents=True, exist_ok=True)
        shutil.copytree(self._tree.root / "etc" / "asterisk", self.etc, dirs_exist_ok=True)
        modules = next(iter(sorted(self._tree.root.glob("usr/lib/*/asterisk/modules"))))
        kept = ("app_voicemail*", "app_agent_pool", "res_clialiases", "pbx_ael")
        unused = {
            m.name for pattern in UNUSED_MODULES if pattern not in kept for m in modules.glob(f"{pattern}.so")
        }
        self._write(
            "modules.conf",
            "".join(
                f"noload = {name}\n"
                for name in sorted(unused | {"app_voicemail_odbc.so", "app_voicemail_imap.so"})
            ),
        )
        self._replace(
            "asterisk.conf",
            {
                "astetcdir": f"{self._inside}/etc",
                "astvarlibdir": f"{self._inside}/lib",
                "astdbdir": f"{self._inside}/lib",
                "astcachedir": f"{self._inside}/lib",
                "astkeydir": f"{self._inside}/lib",
                "astspooldir": f"{self._inside}/spool",
                "astrundir": f"{self._inside}/run",
                "astlogdir": f"{self._inside}/log",
            },
        )
        ports = self.config
        phones = "".join(PHONE.format(number=n, password=ports.phone_password) for n in PHONES)
        self._write("pjsip.conf", PJSIP.format(sip=ports.sip_port, trunk=ports.trunk_port) + phones)
        self._write("extensions.conf", EXTENSIONS)
        self._write("queues.conf", QUEUES)
        self._write("voicemail.conf", VOICEMAIL)
        self._write("rtp.conf", f"[general](+)\nrtpstart={ports.rtp_ports[0]}\nrtpend={ports.rtp_ports[1]}\n")
        self._write("manager.conf", f"[general](+)\nport = {ports.ami_port}\n")

    def _write(self, name: str, more: str) -> None:
        file = self.etc / name
        file.write_text(
            file.read_text(encoding="utf-8", errors="surrogateescape") + "\n" + more, errors="surrogateescape"
        )

    def _replace(self, name: str, values: dict[str, str]) -> None:
        file = self.etc / name
        said = []
        for line in file.read_text().splitlines():
            key = line.split("=>")[0].strip()
            said.append(
                f"{key} => {values[key]}" if key in values else line.replace("[directories](!)", "[directories]")
            )
        file.write_text("\n".join(said) + "\n")

    def _fully_booted(self) -> bool:
        """Without an account of ours: its CLI says so."""
        time.sleep(0.3)
        return "fully booted" in self.cli("core waitfullybooted")


# --- as far as FreePBX can be played ----------------------------------------------------------------------

FREEPBX = {
    "extensions.conf": """
; generated by FreePBX
#include extensions_custom.conf
#include extensions_additional.conf
[from-trunk]
include => from-trunk-custom
include => ext-did
[from-carrier]
include => from-trunk
[from-internal]
include => from-internal-custom
include => ext-local
[from-internal-xfer]
include => from-internal
[phones]
include => from-internal
""",
    "extensions_additional.conf": """
[ext-did]
exten => 4008001000,1,Set(__FROM_DID=${EXTEN})
 same => n,Goto(ext-queues,600,1)
[customdests]
exten => dest-1,1,NoOp(Entering Custom Destination CTI)
 same => n,Gosub(cti-freepbx,s,1())
 same => n,Goto(ext-queues,600,1)
[ext-queues]
exten => 600,1,Answer()
 same => n,Queue(600,t,,,60)
 same => n,Hangup()
[ext-local]
exten => _20XX,1,Dial(PJSIP/${EXTEN},20,HhTtr)
exten => 2001,hint,PJSIP/2001
exten => 2002,hint,PJSIP/2002
[from-queue]
exten => _20XX,1,Dial(PJSIP/${EXTEN},20,HhTtr)
""",
    "extensions_custom.conf": "; yours\n",
    "queues.conf": """
[general]
persistentmembers = yes
#include queues_additional.conf
""",
    "queues_additional.conf": """
[600]
strategy = ringall
timeout = 15
member => Local/2001@from-queue/n,0,Li Wei,hint:2001@ext-local
member => Local/2002@from-queue/n,0,Wang Fang,hint:2002@ext-local
""",
    "features.conf": """
[general]
#include features_general_custom.conf
[featuremap]
blindxfer = ##
[applicationmap]
#include features_applicationmap_custom.conf
""",
    "features_general_custom.conf": "",
    "features_applicationmap_custom.conf": "",
    "manager_custom.conf": "; yours\n",
}


class FreePbxLike(StockPbx):
    """The same machine as FreePBX would have written it: generated files, `_custom` ones, members behind hints."""

    def _prepare(self) -> None:
        super()._prepare()
        for name, text in FREEPBX.items():
            (self.etc / name).write_text(text)
        self._write("manager.conf", "#include manager_custom.conf\n")

    def route_through_destination(self) -> None:
        """What the administrator does on the screens: the inbound route leads to the Custom Destination."""
        file = self.etc / "extensions_additional.conf"
        through = " same => n,Goto(customdests,dest-1,1)\n[customdests]"
        file.write_text(file.read_text().replace(" same => n,Goto(ext-queues,600,1)\n[customdests]", through))
        self.cli("dialplan reload")
