"""`guests.toml` and the files it names agree."""

import guests


def test_every_kernel_has_a_section_and_every_section_its_files():
    catalogue = guests.catalogue().values()
    sources = {file for folder in ("kernels", "nano") for file in guests.path(folder).glob("*.S")}
    assert {guest.source for guest in catalogue} == sources
    named = {file for guest in catalogue for file in (guest.golden, guest.input) if file}
    assert named == {file for file in guests.path("golden").iterdir() if file.is_file()}


def test_every_include_file_is_included_by_some_guest():
    from tests.guests.build import assembled

    read = set()
    for guest in guests.catalogue().values():
        for defines in guests.BUILDS.values():
            program = assembled(guest, defines=defines)
            read |= {guests.Path(file).resolve() for file in program.files}
    folders = ("include", "kernels", "lib", "nano", "user")
    files = {file for folder in folders for file in guests.path(folder).rglob("*.[Si]*")}
    assert {file.resolve() for file in files} == read
