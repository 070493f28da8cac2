"""Registers a phone with a PBX: one REGISTER with digest authentication (RFC 3261 §10, RFC 2617), over UDP.

SIPp plays the calls, but one scenario cannot both register and wait for calls, so this registers for it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket

WAIT_S = 3.0


class RegistrationRefused(RuntimeError):
    """The PBX refused the registration or did not answer; the text has its answer."""


def register(pbx_port: int, extension: str, password: str, contact_port: int, expires_s: int = 3600) -> None:
    """Binds the extension to 127.0.0.1:contact_port; expires_s=0 removes all its bindings. Raises
    RegistrationRefused."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.connect(("127.0.0.1", pbx_port))
        udp.settimeout(WAIT_S)
        call = secrets.token_hex(8)
        contact = "*" if expires_s == 0 else f"<sip:{extension}@127.0.0.1:{contact_port}>"
        credentials = ""
        for sequence in (1, 2):
            udp.send(
                _request(
                    pbx_port, extension, call, sequence, contact, expires_s, credentials, udp.getsockname()[1]
                )
            )
            try:
                answer = udp.recv(65535).decode("utf-8", "replace")
            except OSError as error:
                raise RegistrationRefused(
                    f"no answer to REGISTER {extension} from port {pbx_port}: {error}"
                ) from None
            status = answer.split("\r\n", 1)[0]
            if " 200 " in status:
                return
            if " 401 " not in status or sequence == 2:
                raise RegistrationRefused(f"REGISTER {extension}: {status}")
            credentials = _digest(answer, extension, password, f"sip:127.0.0.1:{pbx_port}")


def _request(
    port: int,
    extension: str,
    call: str,
    sequence: int,
    contact: str,
    expires_s: int,
    credentials: str,
    local: int,
) -> bytes:
    lines = [
        f"REGISTER sip:127.0.0.1:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{local};rport;branch=z9hG4bK{secrets.token_hex(8)}",
        f"From: <sip:{extension}@127.0.0.1>;tag={call}",
        f"To: <sip:{extension}@127.0.0.1>",
        f"Call-ID: {call}",
        f"CSeq: {sequence} REGISTER",
        f"Contact: {contact}",
        f"Expires: {expires_s}",
        "Max-Forwards: 70",
        *([credentials] if credentials else []),
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _digest(answer: str, extension: str, password: str, uri: str) -> str:
    challenge = dict(
        re.findall(r'(\w+)="?([^",\r\n]+)"?', answer.partition("WWW-Authenticate: Digest ")[2].split("\r\n")[0])
    )
    realm, nonce, client = challenge["realm"], challenge["nonce"], secrets.token_hex(8)
    first = _md5(f"{extension}:{realm}:{password}")
    second = _md5(f"REGISTER:{uri}")
    response = _md5(f"{first}:{nonce}:00000001:{client}:auth:{second}")
    opaque = f', opaque="{challenge["opaque"]}"' if "opaque" in challenge else ""
    return (
        f'Authorization: Digest username="{extension}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{client}"{opaque}'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
