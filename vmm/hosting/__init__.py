"""Many guests on one machine: domains, the harts that they share, and who runs when."""
