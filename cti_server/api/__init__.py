"""The REST API and the desktop's files; each resource has a file. It reads the record and commands the ports."""
