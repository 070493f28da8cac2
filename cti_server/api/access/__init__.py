"""Access: signing in and out, passwords, tickets, and the limit on failed attempts."""
