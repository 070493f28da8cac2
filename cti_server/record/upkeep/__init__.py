"""Upkeep: what is older than it is kept is cut, a little at a time, by one process at a time.

`run` does all of it once: `cti-server maintain`, and each hour one of the servers. Interactions are never cut.
"""
