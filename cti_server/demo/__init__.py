"""The demo PBX: a real Asterisk in a folder of its own, SIPp callers and phones. Imported by the cli only."""
