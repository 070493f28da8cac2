"""The demo PBX: a real Asterisk in a folder of its own, SIPp callers and phones, seed data. Imported by the cli only."""
