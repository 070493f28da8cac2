"""The connection to one PBX: attach to it, receive its events, send it actions, answer its FastAGI requests."""
