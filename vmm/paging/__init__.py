"""How a guest's paging is kept on the machine's own MMU: shadow tables, or direct paging."""
