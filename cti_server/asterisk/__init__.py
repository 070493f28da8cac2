"""The PBX at the other end of the wire: attach to it, hear what happens, ask it to act, answer its AGI calls."""
