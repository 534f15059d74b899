"""`toyvmm bt dump`: a guest's code beside its translation."""

import re

import pytest

from tests.unit.cli.command import toyvmm
from vmm.cli.status import Status

SOURCE = """\
_start:
    la      t0, handler
    csrw    stvec, t0
    li      s0, 3
again:
    addi    s0, s0, -1
    csrr    a0, sstatus
    bnez    s0, again
done:
    la      t1, away
    jr      t1
away:
    li      a7, 8
    ecall
handler:
    sret
"""
GUEST, CODE = re.compile(r"  ([0-9a-f]{8})  (.*)"), re.compile(r"      ([0-9a-f]{8})  (.*)")


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bt")
    (folder / "guest.S").write_text(SOURCE)

    def dump(*options):
        return toyvmm("bt", "dump", "guest.S", *options, cwd=folder)

    return dump


@pytest.fixture(scope="module")
def lines(dump):
    done = dump()
    assert done.returncode == Status.PASSED, done.stderr
    return done.stdout.decode().splitlines()


def test_each_unit_has_its_guest_code_once(lines):
    heads = [line.split(":")[0] for line in lines if line.endswith(" words")]
    assert heads == ["_start", "again", "done", "away"]
    for at, line in enumerate(lines):
        if not line.endswith(" words"):
            continue
        insns, words = (int(number) for number in re.findall(r"(\d+) (?:instr|words)", line))
        unit = lines[at + 1 : lines.index("", at) if "" in lines[at:] else None]
        guest = [found for text in unit if (found := GUEST.fullmatch(text))]
        assert len(guest) == insns
        assert len(unit) == insns + words
        places = [int(found[1], 16) for found in guest]
        assert places == list(range(places[0], places[0] + 4 * insns, 4))


def test_a_line_of_source_stands_beside_an_instruction(lines):
    assert sum("guest.S:7: csrr a0, sstatus" in line for line in lines) == 2  # in two units


def test_what_is_sensitive_is_not_in_the_translation(lines):
    guest = [found[2] for line in lines if (found := GUEST.fullmatch(line))]
    code = [found[2] for line in lines if (found := CODE.fullmatch(line))]
    for name in ("csrw", "csrr", "sret"):
        assert any(text.startswith(name) for text in guest)
        assert not any(text.startswith(name) for text in code)


def test_what_is_innocuous_is_as_it_was(lines):
    at = next(n for n, line in enumerate(lines) if "addi s0,s0,-1" in line)
    assert CODE.fullmatch(lines[at + 1])[2] == "addi s0,s0,-1"


def test_what_leaves_a_unit_says_where_to(lines):
    ends = [found[2] for line in lines if (found := CODE.fullmatch(line))]
    assert any(re.fullmatch(r"ecall +to 0x8000001c, not chained yet", text) for text in ends)
    jump = r"j 0xffc0\w+ +to 0x80000010, chained"
    assert any(re.fullmatch(jump, text) for text in ends)
    assert any(re.fullmatch(r"ecall +callout: root emulates it", text) for text in ends)


def test_a_block_may_lie_where_the_edge_was_that_leads_to_it(lines):
    """`done` behind the branch that is not taken, `away` behind the indirect jump."""
    code = [found[1] for line in lines if (found := CODE.fullmatch(line))]
    for name in ("done", "away"):
        head = next(n for n, line in enumerate(lines) if line.startswith(f"{name}: "))
        first = next(found[1] for line in lines[head:] if (found := CODE.fullmatch(line)))
        assert f"{int(first, 16) - 4:08x}" in code
        assert not any(line.endswith("not chained yet") for line in lines[head:])


@pytest.mark.parametrize("place", ["again", "0x80000010"])
def test_at_a_place(dump, place):
    done = dump("--at", place)
    heads = [line for line in done.stdout.decode().splitlines() if line.endswith(" words")]
    assert (done.returncode, [head.split(":")[0] for head in heads]) == (0, ["again"])


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        (["--at", "agian"], Status.USAGE, "no such symbol; did you mean `again`?"),
        (["--at", "#"], Status.USAGE, "--at #: no such symbol\n"),
        (["--at", "handler"], Status.FAILED, "nothing was translated at handler in "),
        (["--at", "0x1000"], Status.FAILED, "nothing was translated at 0x1000 in "),
        (["--input", "keys"], Status.USAGE, "keys: "),
    ],
)
def test_nothing_to_show_is_said(dump, options, status, reason):
    done = dump(*options)
    assert (done.returncode, done.stdout) == (status, b"")
    assert reason in done.stderr.decode()
