"""A random walk: random actions on a real center, and an oracle that compares it with what Asterisk itself says."""
