"""Who is heard where: each party has a voice of its own pitch, and what arrives at a phone is listened to.

A browser speaks a file; a caller of SIPp echoes or is silent; the music on hold is two notes. So a phone that
hears a pitch hears that party, and nobody has to trust what a program says about itself.
"""

from __future__ import annotations

import asyncio
import ctypes
import math
import socket
import struct
import time
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ALICE_HZ: Final = 500.0
BOB_HZ: Final = 820.0
MUSIC_HZ: Final = 220.0  # and 277.2, see cti_server.demo.render
PITCHES: Final = {"alice": ALICE_HZ, "bob": BOB_HZ, "music": MUSIC_HZ}

SO_ATTACH_FILTER: Final = 26

SILENT: Final = 0.003  # of full scale; the quietest voice here is ten times that

# --- in a page -------------------------------------------------------------------------------------------

#: The page's own connections, to be asked for their counters. Echo and noise are not taken out of a test's voice:
#: it is of one pitch, and so is what comes back of it.
LISTEN = """
window.heardBy = [];
const Plain = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Plain {
  constructor(...given) { super(...given); window.heardBy.push(this); }
};
const media = navigator.mediaDevices;
if (media) {
  const open = media.getUserMedia.bind(media);
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  media.getUserMedia = (asked) => open({
    ...asked, audio: asked.audio && { ...(asked.audio === true ? {} : asked.audio), ...plain },
  });
}
"""
#: What arrives in `seconds`: packets, level, and the strength of each pitch in the loudest tenth of a second.
HEAR = """async ([seconds, pitches]) => {
  const peer = window.heardBy.filter((one) => one.connectionState === "connected").at(-1);
  if (!peer) return { packets: 0, level: 0, who: [] };
  const read = async () => {
    const sum = { packets: 0, energy: 0, time: 0 };
    (await peer.getStats()).forEach((one) => {
      if (one.type !== "inbound-rtp" || one.kind !== "audio") return;
      sum.packets += one.packetsReceived ?? 0;
      sum.energy += one.totalAudioEnergy ?? 0;
      sum.time += one.totalSamplesDuration ?? 0;
    });
    return sum;
  };
  const track = peer.getReceivers().map((one) => one.track).find((one) => one && one.kind === "audio");
  const context = (window.listening ??= new AudioContext());
  await context.resume();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  source.connect(analyser);
  const before = await read();
  const bins = new Float32Array(analyser.frequencyBinCount);
  const best = Object.fromEntries(Object.keys(pitches).map((name) => [name, -200]));
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    await new Promise((done) => setTimeout(done, 50));
    analyser.getFloatFrequencyData(bins);
    for (const [name, hz] of Object.entries(pitches)) {
      const at = Math.round((hz * analyser.fftSize) / context.sampleRate);
      best[name] = Math.max(best[name], ...bins.slice(at - 1, at + 2));
    }
  }
  const after = await read();
  source.disconnect();
  const time = after.time - before.time;
  return {
    packets: after.packets - before.packets,
    level: time > 0 ? Math.sqrt((after.energy - before.energy) / time) : 0,
    who: Object.keys(best).filter((name) => best[name] > -62),
  };
}"""

# --- by ourselves --------------------------------------------------------------------------------------------


def voice(file: Path, pitch_hz: float, seconds: int = 8, rate: int = 48000) -> Path:
    """A voice for a browser: syllables of one pitch, uneven in length and loudness, so that nothing on the way
    takes it for a hum."""
    syllables = [(0.21, 0.30), (0.13, 0.24), (0.29, 0.34), (0.17, 0.27), (0.11, 0.32), (0.25, 0.26)]
    samples = array("h")
    turn = 0
    while len(samples) < seconds * rate:
        length, loud = syllables[turn % len(syllables)]
        count = int(length * rate)
        for n in range(count):
            edge = min(1.0, n / 480, (count - n) / 480)
            samples.append(int(32767 * loud * edge * math.sin(2 * math.pi * pitch_hz * n / rate)))
        samples.extend([0] * int(0.02 * rate))
        turn += 1
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return file


@dataclass(frozen=True)
class Sound:
    """What arrived in a stretch of time: packets, how loud (0 to 1), and whose pitches are in it."""

    packets: int
    level: float
    who: frozenset[str]

    @property
    def silent(self) -> bool:
        return self.level < SILENT


async def arriving(port: int, seconds: float = 0.6) -> Sound:
    """What Asterisk sends to a phone of SIPp, whose voice arrives at this UDP port (G.711 µ-law, RFC 3551)."""
    return await asyncio.to_thread(_arriving, port, seconds)


def _arriving(port: int, seconds: float) -> Sound:
    payload = bytearray()
    packets = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as tap:
        _only(tap, port)
        tap.bind(("lo", 0x0800))
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            tap.settimeout(left)
            try:
                packet = tap.recv(2048)
            except TimeoutError:
                break
            start = (packet[0] & 15) * 4
            if packet[9] != socket.IPPROTO_UDP or len(packet) < start + 20:
                continue
            if struct.unpack_from("!H", packet, start + 2)[0] == port and packet[start + 9] & 127 == 0:
                packets += 1
                payload += packet[start + 20 :]
    return _sound(packets, [_LINEAR[byte] for byte in payload], 8000)


def _only(tap: socket.socket, port: int) -> None:
    """Lets the kernel drop what does not go to this UDP port: the calls of other workers would fill the socket."""
    program = [
        (0x30, 0, 0, 9),  # the protocol
        (0x15, 0, 4, socket.IPPROTO_UDP),
        (0xB1, 0, 0, 0),  # over the IP header, however long
        (0x48, 0, 0, 2),  # the port it goes to
        (0x15, 0, 1, port),
        (0x06, 0, 0, 0xFFFF),
        (0x06, 0, 0, 0),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    tap.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))


def _sound(packets: int, samples: list[float], rate: int) -> Sound:
    if not samples:
        return Sound(packets, 0.0, frozenset())
    level = math.sqrt(sum(s * s for s in samples) / len(samples))
    who = {name for name, hz in PITCHES.items() if _strength(samples, hz, rate) > 0.002}
    return Sound(packets, level, frozenset(who))


def _strength(samples: list[float], hz: float, rate: int) -> float:
    """How much of a pitch there is (Goertzel), 0 to 1, in the loudest tenth of a second: notes come and go, and
    over a longer stretch syllables of one pitch do not stay in step."""
    size = rate // 10
    turn = 2 * math.cos(2 * math.pi * hz / rate)
    best = 0.0
    for at in range(0, max(1, len(samples) - size + 1), size):
        one = two = 0.0
        for n, sample in enumerate(samples[at : at + size]):
            window = 0.5 - 0.5 * math.cos(2 * math.pi * n / size)  # Hann: a loud neighbour does not leak in
            one, two = window * sample + turn * one - two, one
        power = one * one + two * two - turn * one * two
        best = max(best, math.sqrt(max(0.0, power)) * 4 / size)
    return best


def _ulaw(byte: int) -> float:
    """ITU-T G.711: sign, three bits of exponent, four of mantissa, all inverted."""
    value = ~byte & 0xFF
    size = (((value & 15) << 3) + 0x84 << ((value >> 4) & 7)) - 0x84
    return (-size if value & 0x80 else size) / 32768


_LINEAR = [_ulaw(byte) for byte in range(256)]
