"""What people at their desks leave for themselves and for each other: promises, messages, requests for help."""
