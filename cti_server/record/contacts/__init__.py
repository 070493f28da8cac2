"""Contacts with customers: interactions, with a segment for each agent in them, and each agent's wrap-up."""
