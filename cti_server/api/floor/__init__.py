"""The floor as it is this second, and what is done with its calls."""
