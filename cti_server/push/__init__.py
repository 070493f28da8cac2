"""Sends desktops their events: the frames, the hub that hands them out, and the session of one websocket.

A *stream* is an ordered, numbered list of events; each PBX has one, and so has desk work. A *position* is the
number of the last event of a stream that a desktop has, which is its place in the journal.
"""
