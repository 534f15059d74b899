"""How the machine's own MMU does a guest's paging: shadow tables, or direct paging."""
