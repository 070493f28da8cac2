"""Tests of cti_server.demo that need no Asterisk."""
