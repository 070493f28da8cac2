"""Faults on purpose: a real center under load, something breaks, and what was lost or doubled is counted."""
