"""The live side as the API and the websocket see it.

`floors` reads the floors of all PBXs as one. `agent_commands` carries out what an agent asks for beside call
control. `feed` gives a websocket what its desktop shows. `delivery` brings the dialplan's lookups to their PBX.
`presence` tells the floors whose desktop is connected.
"""
