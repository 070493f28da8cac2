"""A stock Asterisk: the packaged samples as they are, and beside them what a small call center would have written
itself. Nothing of ours is in it."""

from __future__ import annotations

import re
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

    def __init__(self, name: str = "stock") -> None:
        super().__init__(free_config(name))

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
include => from-internal-xfer
include => bad-number
[from-internal-xfer]
include => from-internal-custom
include => from-internal-additional
[phones]
include => from-internal
[bad-number]
exten => _X.,1,Progress()
 same => n,Playback(silence/1&cannot-complete-as-dialed&check-number-dial-again,noanswer)
 same => n,Congestion(20)
 same => n,Hangup()
[macro-dial]
exten => s,1,Set(ds=PJSIP/${STRREPLACE(ARG3,-,&PJSIP/)})
 same => n,Dial(${ds},${ARG1},${ARG2})
 same => n,Return()
[macro-dialout-trunk]
exten => s,1,Dial(PJSIP/${ARG2}@${ARG1},300,T)
 same => n,GotoIf($["${DIALSTATUS}" = "BUSY"]?s-BUSY,1)
 same => n,Return()
exten => s-BUSY,1,Playtones(busy)
 same => n,Busy(20)
[macro-outisbusy]
exten => s,1,Progress()
 same => n,Playback(all-circuits-busy-now&please-try-call-later,noanswer)
 same => n,Congestion(20)
 same => n,Hangup()
""",
    "extensions_additional.conf": """
[from-internal-additional]
include => from-internal-additional-custom
include => ext-local
include => ext-queues
include => ext-group
include => outbound-allroutes
[outbound-allroutes]
include => outrt-1
[outrt-1]
include => outrt-1-custom
exten => _0X.,1,Gosub(macro-dialout-trunk,s,1(carrier,${EXTEN}))
 same => n,Gosub(macro-outisbusy,s,1())
exten => _1X.,1,Gosub(macro-dialout-trunk,s,1(carrier,${EXTEN}))
 same => n,Gosub(macro-outisbusy,s,1())
[ext-did]
include => ext-did-custom
exten => 4008001000,1,Set(__FROM_DID=${EXTEN})
 same => n,Goto(ext-queues,600,1)
[customdests]
include => customdests-custom
exten => dest-1,1,NoOp(Entering Custom Destination CTI)
 same => n,Gosub(cti-freepbx,s,1())
 same => n,NoOp(Returned from Custom Destination CTI)
 same => n,Goto(ext-queues,600,1)
[timeconditions]
include => timeconditions-custom
exten => 1,1,NoOp(TIMECONDITION: Office hours)
 same => n,GotoIfTime(00:00-23:59,mon-sun,*,*?truestate)
 same => n(falsestate),Goto(app-blackhole,hangup,1)
 same => n(truestate),Goto(ext-queues,600,1)
[app-blackhole]
exten => hangup,1,Hangup()
[ext-group]
include => ext-group-custom
exten => 660,1,Gosub(macro-dial,s,1(20,Ttr,2001-2002))
 same => n,Goto(app-blackhole,hangup,1)
[ext-queues]
include => ext-queues-custom
exten => 600,1,Answer()
 same => n,Queue(600,t,,,60)
 same => n,Hangup()
[ext-local]
include => ext-local-custom
exten => _20XX,1,Dial(PJSIP/${EXTEN},20,HhTtr)
 same => n,GotoIf($["${DIALSTATUS}" = "BUSY"]?busy)
 same => n,Congestion(20)
 same => n(busy),Busy(20)
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
#include queues_post_custom.conf
""",
    "queues_additional.conf": """
[600]
strategy = ringall
timeout = 15
member => Local/2001@from-queue/n,0,Li Wei,hint:2001@ext-local
member => Local/2002@from-queue/n,0,Wang Fang,hint:2002@ext-local
[601]
strategy = ringall
timeout = 15
""",
    "queues_post_custom.conf": "; yours\n",
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
    "pjsip.endpoint.conf": "; generated by FreePBX\n",
    "pjsip.endpoint_custom_post.conf": "; yours\n",
    "http.conf": """
[general]
#include http_additional.conf
#include http_custom.conf
""",
    "http_custom.conf": "; yours\n",
}
#: the extension of a browser, as its screen makes it of "Enable WebRTC defaults: Yes"
WEBRTC = """
[{number}]
type=endpoint
context=from-internal
aors={number}
disallow=all
allow=opus,ulaw,alaw
webrtc={webrtc}
[{number}]
type=aor
max_contacts=1
"""
#: where a route may lead
QUEUE_600, DESTINATION = "ext-queues,600,1", "customdests,dest-1,1"
TIME_CONDITION, RING_GROUP = "timeconditions,1,1", "ext-group,660,1"


class FreePbxLike(StockPbx):
    """The same machine as FreePBX would have written it: generated files, `_custom` ones, members behind hints."""

    def _prepare(self) -> None:
        super()._prepare()
        for name, text in FREEPBX.items():
            (self.etc / name).write_text(text)
        self._write("manager.conf", "#include manager_custom.conf\n")
        websocket = "[0.0.0.0-ws]\ntype=transport\nprotocol=ws\nbind=0.0.0.0\n"
        includes = "#include pjsip.endpoint.conf\n#include pjsip.endpoint_custom_post.conf\n"
        self._write("pjsip.conf", websocket + includes)
        self.builtin_http(enabled=True)

    def builtin_http(self, *, enabled: bool) -> None:
        """Settings, Advanced Settings, Asterisk Builtin mini-HTTP server."""
        said = f"enabled={'yes' if enabled else 'no'}\nbindaddr=127.0.0.1\nbindport={self.config.http_port}\n"
        (self.etc / "http_additional.conf").write_text(said)

    def route_to(self, place: str) -> None:
        """What the administrator does on the screens: the inbound route leads to this place."""
        file = self.etc / "extensions_additional.conf"
        route = r"(Set\(__FROM_DID=.*\)\n same => n,Goto)\(.*\)"
        file.write_text(re.sub(route, rf"\1({place})", file.read_text()))
        self.cli("dialplan reload")

    def destination(self, target: str, leads_to: str) -> None:
        """Admin, Custom Destinations: its target, Return: Yes, and where it leads then."""
        file = self.etc / "extensions_additional.conf"
        there = r"(Destination CTI\)\n same => n,Gosub)\(.*\)\n( same => n,NoOp.*\n same => n,Goto)\(.*\)"
        written, count = re.subn(there, rf"\1({target}())\n\2({leads_to})", file.read_text())
        assert count == 1
        file.write_text(written)
        self.cli("dialplan reload")

    def route_through_destination(self) -> None:
        self.route_to(DESTINATION)
