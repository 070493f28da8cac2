"""Against a real Asterisk, with real SIP calls."""
