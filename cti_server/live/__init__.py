"""The live side as the API and the websocket see it.

`floors` reads the floors of all PBXs as one, `agent_commands` does what an agent asks for beside call control,
`feed` gives a websocket what its desktop shows, `delivery` brings lookups of the dialplan to their PBX, `presence`
tells the floors whose desktop is connected.
"""
