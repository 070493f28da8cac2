"""The live call floor of one PBX: standard library only, synchronous, no clock of its own.

*signal*: input; something learnt from the PBX, a lookup or a desk.
*event*: output; something that happened on the floor, with the new view of the object it happened to.
*call*: all legs that share one linkedid. *leg*: one channel. *part*: one agent's share of a call, from the first
ring to the end of wrap-up; it becomes a segment in the record. *seat*: the device an agent sits at.

Times are seconds since the epoch, as the PBX stamped them; the floor only ever subtracts them.
"""
