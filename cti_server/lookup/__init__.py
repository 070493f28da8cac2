"""From a number to a card: reads the record once for the PBX's answer and once more for what the agent
sees.
"""
