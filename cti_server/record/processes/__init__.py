"""What processes on one record know of each other: who lives, who has whose desktop, what is asked of whom."""
