"""Backups: one file that has the whole record as it was at one moment, with sums of what must come back.

    record ──take──▶ FILE ──restore──▶ record, where there is none
                       └────prove────▶ a scratch database, compared with the sums, and dropped

The engines' own ways do the copying: SQLite's online backup, pg_dump and pg_restore.
"""
