"""The HTTP listener's own part: how many peers it takes, how long each may take, and what it keeps for others."""
