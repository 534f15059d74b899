"""`python -m vmm`: the same as `toyvmm`, for a checkout that is not installed."""

from vmm.cli.entry import main

main()
