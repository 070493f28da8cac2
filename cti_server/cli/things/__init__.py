"""What the record knows, one file a thing: each can be listed, shown, added, changed and removed.

`add` refuses what is there already, `set` changes only what is given, `remove` says what still uses it.
"""
