"""What `toyvmm explain` knows: instructions, CSRs, causes, the ABI, directives."""
