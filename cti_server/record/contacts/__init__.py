"""Contacts with customers: each interaction once, a segment for each agent in it, and the wrap-up of each."""
