"""The routes of the agent's own desk: state, phone, wrap-up, promises, messages, help, the day."""
