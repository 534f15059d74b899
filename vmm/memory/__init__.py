"""Which frames of the machine are whose, and how root reaches a guest's RAM."""
