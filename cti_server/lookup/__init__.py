"""From a number to a card: one read for the PBX's answer, one more for what the agent sees."""
