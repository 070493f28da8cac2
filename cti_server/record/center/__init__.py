"""The call center itself: people, their sessions and shifts, phones, queues, lines, and codes to choose from."""
