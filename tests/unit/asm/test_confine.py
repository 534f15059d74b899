"""A confined source reads nothing outside, whatever it writes and wherever links lead."""

import pytest

from asm import AsmErrors, assemble, assemble_text


@pytest.fixture
def house(tmp_path):
    """A directory `in` to which a source is confined, with a secret beside it, and links that
    lead out.
    """
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside / "sub", outside):
        folder.mkdir(parents=True)
    (outside / "secret").write_text("password\n")
    (outside / "fine.inc").write_text(" nop\n")
    (inside / "near.inc").write_text(" nop\n")
    (inside / "sub" / "deep.inc").write_text('.include "../near.inc"\n')
    (inside / "link").symlink_to(outside / "secret")
    (inside / "folder").symlink_to(outside)
    (inside / "round").symlink_to(inside / "near.inc")
    (inside / "circle").symlink_to(inside / "circle")
    return inside


OUT = ["../out/secret", "{out}/secret", "link", "folder/secret", "sub/../../out/secret",
       "../out/nothing", "{out}/nothing", "/etc/passwd", "/etc/nothing", "..",
       "/dev/zero"]  # fmt: skip


@pytest.mark.parametrize("name", OUT)
@pytest.mark.parametrize("directive", [".include", ".incbin"])
def test_nothing_outside(house, name, directive):
    name = name.format(out=house.parent / "out")
    (house / "x.S").write_text(f' nop\n{directive} "{name}"\n')
    with pytest.raises(AsmErrors) as raised:
        assemble(house / "x.S", confine=house)
    (problem,) = raised.value.problems
    # The answer is the same whether the file exists or not: a source cannot find that out.
    assert problem.what == f"`{name}` lies outside {house}"
    assert problem.place.line == 2
    assert "password" not in str(problem)


IN = ["near.inc", "sub/deep.inc", "sub/../near.inc", "round", "{in_}/near.inc"]


@pytest.mark.parametrize("name", IN)
def test_everything_inside(house, name):
    source = f'.include "{name.format(in_=house)}"\n'
    program = assemble_text(source, str(house / "x.S"), confine=house)
    assert bytes(program.sections[0].data) == bytes.fromhex("13000000")


def test_a_file_beside_a_source_that_lies_outside(house):
    (house.parent / "out" / "x.S").write_text('.include "fine.inc"\n')
    with pytest.raises(AsmErrors, match="lies outside"):
        assemble(house.parent / "out" / "x.S", confine=house)


def test_include_directories(house):
    out = house.parent / "out"
    with pytest.raises(AsmErrors, match=r"include directory .* lies outside"):
        assemble_text(" nop\n", confine=house, include_dirs=[house / "folder"])
    source = '.include "fine.inc"\n'
    where = str(house / "x.S")
    assert assemble_text(source, where, confine=[house, out], include_dirs=[out])
    with pytest.raises(AsmErrors, match="cannot find"):
        assemble_text(source, where, confine=[house, out], include_dirs=[house])


def test_a_circle_of_links(house):
    with pytest.raises(AsmErrors):
        assemble_text('.include "circle"\n', str(house / "x.S"), confine=house)


def test_no_neighbours_are_named_outside(house):
    outside = str(house.parent / "out" / "x.S")
    with pytest.raises(AsmErrors, match="cannot find") as raised:
        assemble_text(f'.include "{house}/secrte"\n', outside, confine=house)
    assert "`secret`" not in str(raised.value)
    with pytest.raises(AsmErrors, match="did you mean `secret`"):
        assemble_text(f'.include "{house}/secrte"\n', outside)


def test_a_directory_that_is_none():
    with pytest.raises(AsmErrors, match="not a directory"):
        assemble_text(" nop\n", confine="/nowhere")
