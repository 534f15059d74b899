"""gdb's remote protocol: a real debugger on the machine, forwards and backwards."""
