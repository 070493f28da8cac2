"""Several lists of the record in one statement, asked of the driver itself: for what a caller waits for."""
