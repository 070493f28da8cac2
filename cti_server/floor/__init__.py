"""The live call floor of one PBX: standard library only, synchronous, no clock of its own.

*signal*: what was learnt from the PBX, a lookup or a desk; goes in.
*event*: what happened on the floor, with the new view of the thing it happened to; comes out.
*call*: all legs that share one linkedid. *leg*: one channel. *part*: what one agent had to do with a call, from
the first ring to the end of wrap-up; it becomes a segment in the record. *seat*: the device an agent sits at.

Times are seconds since the epoch, as the PBX stamped them; the floor only ever subtracts them.
"""
