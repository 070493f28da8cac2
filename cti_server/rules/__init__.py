"""Pure decisions: what a number is, whose it may be, what the contract says, and how urgent the call is."""
