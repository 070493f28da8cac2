"""`python -m cti_server` is `cti-server`."""

from cti_server.cli import main

main()
