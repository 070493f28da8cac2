"""Pure decisions, without I/O: what a number is, whose it may be, what the contract says, how urgent a call is."""
