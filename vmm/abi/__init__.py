"""What the monitor and a paravirtual guest must agree on."""
