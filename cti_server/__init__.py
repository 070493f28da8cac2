"""Call-center telephony integration for Asterisk."""
