"""Dialogues with the dialplan over FastAGI, before a caller reaches an agent."""
