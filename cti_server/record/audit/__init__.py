"""The audit log: who changed what, and which access only a grant allowed. Append-only.

Each process has a chain of its own a day, so that several append without waiting for each other; when the day is
over the heads of its chains are signed, and the seal stands in a chain of the next day.
"""
