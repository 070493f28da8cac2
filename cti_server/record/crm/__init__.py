"""Customers and what is theirs: how they are reached and found, contracts, products, cases, notes."""
