"""A PBX's manager: reaching it, its users, and the questions that the doctor asks through it."""
