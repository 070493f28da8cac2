"""What is remembered: one file a noun, its tables and its queries together. Nothing else names SQLAlchemy.

A row never leaves this package: functions take an open connection (see `database.Database`) and answer with
frozen dataclasses, those of `rules.facts` where the rules read them too.
"""

# Scripts outside this repository import these two from here.
from cti_server.record.crm import contracts, search

__all__ = ["contracts", "search"]
