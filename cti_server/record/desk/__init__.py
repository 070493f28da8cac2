"""What people at their desks leave for themselves and each other: promises, messages, requests for help."""
