"""What is remembered: one file per noun, its tables and its queries together. Nothing else names SQLAlchemy.

A row never leaves this package: functions take an open connection (see `database.Database`) and return frozen
dataclasses, those of `rules.facts` where the rules read them too.
"""

# Importing `tables` gives whoever imports anything from this package the whole metadata, so that what is derived
# from it (`contacts.merging`) misses no table. The other two are for scripts outside this repository.
from cti_server.record import tables
from cti_server.record.crm import contracts, search

__all__ = ["contracts", "search", "tables"]
