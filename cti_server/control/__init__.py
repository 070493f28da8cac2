"""Call control: what agents ask for is done at the PBX, and what became of it is told.

The words: a *command* is what an agent asks (verb, call, arguments). A *scene* is a call as one agent stands
in it: which leg is theirs, whom they hear, who waits. A *step* is a list of actions and what the floor shows
once they took effect; a command has one to three. A *request* is an accepted command, and ends in exactly one
`command.done`.
"""
