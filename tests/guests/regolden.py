"""Write the guests' golden files anew from runs on our machine: `make golden`.

Read what has changed in `git diff`.  The tests on QEMU say whether another machine agrees.
Must not decide what is right.
"""

import sys

import guests
from vmm.cli.target import find


def console(guest: guests.Guest) -> bytes:
    """What the guest prints; RuntimeError if it does not end as its catalogue entry says."""
    from toyisa.machine import Exit, Machine

    machine = Machine()
    machine.load(find(guest.name).elf)
    machine.feed(guest.input.read_bytes() if guest.input else b"")
    machine.end_input()
    if machine.run(guest.budget) is not Exit.HALTED or machine.code != guest.exit:
        raise RuntimeError(f"{guest.name} does not end as it must: {machine.reason}")
    return machine.output()


def main() -> None:
    for guest in (guest for guest in guests.catalogue().values() if guest.golden):
        guest.golden.write_bytes(console(guest))
        print(guest.golden.name, file=sys.stderr)


if __name__ == "__main__":
    main()
