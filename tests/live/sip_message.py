"""A text message as phones and providers send it: SIP MESSAGE (RFC 3428), over UDP, outside of any call."""

from __future__ import annotations

import secrets
import socket

WAIT_S = 5.0


def send_message(port: int, sender: str, to: str, text: str = "hello") -> int:
    """Sends it to the PBX at 127.0.0.1:port; the status of the answer. Raises TimeoutError when none comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(WAIT_S)
        udp.connect(("127.0.0.1", port))
        call, body = secrets.token_hex(8), text.encode()
        lines = [f"MESSAGE sip:{to}@127.0.0.1:{port} SIP/2.0", "CSeq: 1 MESSAGE", f"Call-ID: {call}"]
        lines += [f"Via: SIP/2.0/UDP 127.0.0.1:{udp.getsockname()[1]};rport;branch=z9hG4bK{call}"]
        lines += [f"From: <sip:{sender}@127.0.0.1>;tag={call}", f"To: <sip:{to}@127.0.0.1>", "Max-Forwards: 70"]
        lines += ["Content-Type: text/plain", f"Content-Length: {len(body)}"]
        udp.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return int(udp.recv(65535).split(b" ")[1])
