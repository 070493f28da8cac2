"""Bytes to messages and back, with no I/O at all.

*block*: the bytes of one AMI message without the empty line that ends it.
*message*: a block whose first line is known; its headers are parsed when somebody asks.
*chunk*: whatever a socket happened to deliver; any chunking of a stream gives the same messages.
"""
