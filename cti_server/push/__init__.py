"""What desktops are sent: frames, the hub that hands them out, and the session of one websocket.

*stream*: an ordered, numbered list of events: one for each PBX, one for desk work.
*position*: the number of the last event of a stream that a desktop has; it is a place in the journal.
"""
