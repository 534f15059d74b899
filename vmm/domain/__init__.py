"""What a guest of the monitor is: its record, its memory, its walk, its statistics."""
