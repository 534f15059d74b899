"""What people see of a stopped machine: its state, what a step changed, why it refused."""
