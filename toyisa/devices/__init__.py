"""Devices that root keeps in Python: virtio and its disks, HTIF, the terminal."""
