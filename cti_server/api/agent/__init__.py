"""The agent's own desk: state, phone, wrap-up, promises, messages, help, their day."""
