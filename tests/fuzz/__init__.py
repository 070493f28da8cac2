"""Throws mutated bytes of a real PBX at what reads and writes the wire: `make fuzz`."""
