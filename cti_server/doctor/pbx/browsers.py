"""Browser phones: whether a browser reaches Asterisk's websocket, and whether their endpoints are made for it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from cti_server.asterisk.session import Session
from cti_server.doctor.environment import loopback
from cti_server.doctor.findings import Finding, say, some
from cti_server.doctor.manager.actions import value
from cti_server.doctor.manager.reach import Patient
from cti_server.record.center.phones import Phone

CODECS = ("opus", "ulaw", "alaw", "g722")  # what browsers speak
CONNECT_S = 5.0
SHOWN = 5


async def examine(patient: Patient, session: Session, phones: Sequence[Phone]) -> list[Finding]:
    """`phones`: the browser phones of this PBX; without any there is nothing to examine."""
    if not phones:
        return []
    check = patient.check("browser phones")
    findings = await _websocket(check, patient.settings.softphone_url, patient.pbx.host)
    wrong = [finding for phone in phones for finding in await _endpoint(check, session, phone)]
    findings.extend(some(wrong, SHOWN))
    return findings or [say(check, "browser.ok", count=len(phones), url=patient.settings.softphone_url)]


# --- the way to Asterisk ----------------------------------------------------------------------------------


async def _websocket(check: str, url: str | None, host: str) -> list[Finding]:
    if url is None:
        return [say(check, "browser.no_url", host=host)]
    parts = urlsplit(url)
    facts: dict[str, object] = {
        "url": url,
        "host": parts.hostname,
        "port": parts.port or (443 if parts.scheme == "wss" else 80),
    }
    plain = parts.scheme == "ws" and not loopback(parts.hostname or "")
    return [say(check, "browser.plain", **facts)] * plain + await _tried(check, url, facts)


async def _tried(check: str, url: str, facts: dict[str, object]) -> list[Finding]:
    """What a browser would meet there. Nothing is sent but the request for a websocket."""
    secure = url.startswith("wss")
    code = "http" if not secure else "https"
    try:
        async with (
            asyncio.timeout(CONNECT_S),
            connect(url, subprotocols=[Subprotocol("sip")], proxy=None) as socket,
        ):
            return [] if socket.subprotocol == "sip" else [say(check, "browser.no_sip", why="no SIP", **facts)]
    except ssl.SSLCertVerificationError as why:
        return [say(check, "browser.untrusted", why=why.verify_message, **facts)]
    except ssl.SSLError as why:
        return [say(check, "browser.no_tls", why=why.reason or why, **facts)]
    except InvalidStatus as why:
        return [say(check, "browser.no_sip", why=f"it answers {why.response.status_code}", **facts)]
    except (InvalidHandshake, WebSocketException, EOFError) as why:
        return [say(check, "browser.no_sip", why=str(why) or type(why).__name__, **facts)]
    except (OSError, TimeoutError) as why:
        reason = getattr(why, "strerror", None) or str(why) or f"no answer in {CONNECT_S:g} s"
        return [say(check, f"browser.no_{code}", why=reason, **facts)]


# --- their endpoints --------------------------------------------------------------------------------------


async def _endpoint(check: str, session: Session, phone: Phone) -> list[Finding]:
    name = phone.seat.partition("/")[2]
    facts = {"seat": phone.seat, "endpoint": name, "extension": phone.extension}
    if not phone.seat.startswith("PJSIP/"):
        return [say(check, "browser.not_pjsip", **facts)]
    if await value(session, f"DEVICE_STATE({phone.seat})") == "INVALID":
        return [say(check, "browser.unknown", **facts)]
    webrtc, allow = [await value(session, f"PJSIP_ENDPOINT({name},{option})") for option in ("webrtc", "allow")]
    if not webrtc:
        return [say(check, "browser.unseen", **facts)]
    found = []
    if webrtc != "yes":
        found.append(say(check, "browser.no_webrtc", **facts))
    if not any(codec in allow.strip("()").split("|") for codec in CODECS):
        found.append(say(check, "browser.no_codec", allow=allow, **facts))
    return found
