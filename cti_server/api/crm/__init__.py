"""The routes of customers and of their contacts."""
