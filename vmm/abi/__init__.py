"""What the monitor and a paravirtual guest agree on."""
