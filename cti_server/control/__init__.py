"""Call control: carries out at the PBX what agents ask for, and reports the result.

The terms: a *command* is what an agent asks for (verb, call, arguments). A *scene* is a call as one agent sees
it: which leg is theirs, whom they hear, who waits. A *step* is a list of PBX actions and the effect that the
floor shows once they worked; a command has one to three. A *request* is an accepted command, and ends in
exactly one `command.done`.
"""
