"""What else a PBX has: modules, keys, rooms, queues, phones; and who else sets pauses there."""
