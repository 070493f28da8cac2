"""Recordings of a real Asterisk's AMI, byte for byte, and the script that makes them."""
