"""What signals mean: one file a theme, a function for each signal, listed in the `HANDLERS` at the file's end.

A handler gets the books and the signal, changes the books, and touches what it changed. It never gets the `Floor`.
"""
