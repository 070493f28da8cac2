"""Bytes to messages and back, with no I/O at all.

*block*: the bytes of one AMI message without the empty line that ends it.
*message*: a block of which only the first line has been read; a header is looked up when somebody asks for it.
*chunk*: the bytes of one read from a socket. However a stream is cut into chunks, its messages are the same.
"""
