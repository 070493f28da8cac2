"""The routes of the floor as it is this second, and of the commands for its calls."""
