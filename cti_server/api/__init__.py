"""The REST API and the desktop's files, one file a resource. Reads go to the record, commands to ports."""
