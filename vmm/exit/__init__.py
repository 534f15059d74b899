"""What happens when a guest goes to root: the loop, and a handler for each kind of exit."""
