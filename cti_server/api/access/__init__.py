"""Who comes in: signing in and out, passwords, and how often somebody may try."""
