"""A random walk: random actions on a real center, compared with what Asterisk itself says."""
