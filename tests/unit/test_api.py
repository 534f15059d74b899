"""What `vmm` exports for programs and notebooks."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import guests
import vmm
from vmm import Machine, VirtualMachine, assemble, compare


def cells(html: str) -> list[str]:
    """The texts of a table's cells; fails where a tag is not closed."""

    class Reader(HTMLParser):
        found: list[str] = []  # noqa: RUF012
        open_tags: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag, attrs):
            self.open_tags.append(tag)

        def handle_endtag(self, tag):
            assert self.open_tags.pop() == tag

        def handle_data(self, data):
            if self.open_tags[-1] in ("td", "th"):
                self.found.append(data)

    reader = Reader()
    reader.found, reader.open_tags = [], []
    reader.feed(html)
    assert not reader.open_tags
    return reader.found


def elf(name: str) -> bytes:
    source = guests.catalogue()[name].source
    return assemble(source, include_dirs=guests.include_dirs(source)).elf()


def test_the_package_lists_what_it_exports():
    assert {"Machine", "VirtualMachine", "assemble", "compare"} <= set(dir(vmm))
    with pytest.raises(AttributeError, match="nosuch"):
        _ = vmm.nosuch


def test_importing_it_imports_no_compiler():
    code = "import sys, vmm; assert not {'numba', 'numpy', 'click'} & set(sys.modules)"
    root = Path(vmm.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=60)


def test_a_notebook_shows_a_machine_and_a_step():
    machine = Machine()
    machine.load(elf("hello"))
    shown = cells(machine._repr_html_())
    assert shown[shown.index("pc") + 1] == "0x80000000"
    assert shown[shown.index("a1") + 1] == f"{int(machine.hart.x[11]):#010x}"
    assert "S" in shown
    effects = machine.step()
    shown = cells(effects._repr_html_())
    assert shown[shown.index("insn") + 1] == f"{effects.insn:#x}"
    assert "trap" not in shown  # there was none


def test_a_notebook_shows_exits():
    machine = VirtualMachine(engine="trap")
    machine.load(elf("hello"))
    machine.end_input()
    machine.run()
    exits = machine.exits()
    shown = cells(exits._repr_html_())
    assert shown[shown.index("sbi") + 1] == str(exits["sbi"]["count"])


def test_what_a_name_holds_is_no_html():
    from toyisa.look.notebook import html_table

    assert cells(html_table([["<b>", "&"]])) == ["<b>", "&"]
    assert "<b>" not in html_table([["<b>"]])


def test_compare_measures_a_benchmark():
    found = compare("nano/callret", engines=["native", "trap"])
    assert found.right
    assert found.document()["rows"][0]["cycles"] == 11
    assert [cell.split()[0] for cell in cells(found._repr_html_())[:6]] == [
        "cycles/operation", "native", "trap", "callret", "11", "11",
    ]  # fmt: skip
    assert "holds" in str(found)


def test_compare_runs_a_file_as_a_whole(tmp_path):
    path = tmp_path / "hello.elf"
    path.write_bytes(elf("hello"))
    by_file, by_name = (
        compare(guest, engines=["native"], cost="modern") for guest in (path, "hello")
    )
    assert by_file.right
    runs = [found.document()["runs"][0] for found in (by_file, by_name)]
    assert runs[0] == runs[1]
    assert runs[0]["instret"] > 0


def test_compare_leaves_out_what_is_not_patched(tmp_path):
    source = tmp_path / "mine.S"
    source.write_text(".globl _start\n_start: li a7, 8\n ecall\n", encoding="utf-8")
    found = compare(source, engines=["native", "pv"])
    assert [run.subject.name for run in found.runs] == ["native"]
    assert [one.subject.name for one in found.left_out] == ["pv"]
    assert "left out: pv" in str(found)
    with pytest.raises(ValueError, match="not patched"):
        compare(source, engines=["pv"])


@pytest.mark.parametrize("wrong", [
    {"engines": ["qemu"]}, {"profile": "lax"}, {"guest": "nano/nosuch"}, {"cost": "p5"},
])  # fmt: skip
def test_compare_refuses_names_that_are_not_known(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong.values()))).strip("[]'")[-4:]):
        compare(**{"guest": "nano/callret", **wrong})
