"""What is loaded into a machine: ELF files and kernel images, symbols, the device tree."""
