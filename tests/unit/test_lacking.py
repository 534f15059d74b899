"""Words of other RISC-V machines are named; ours are not called lacking."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toyisa.tables.insns import BY_NAME, INSNS, Cost
from toyisa.tables.lacking import explain

# Words as GNU `as` writes them for -march=rv64gcv_zba_zbb_zicbom.
WORDS = {
    0x30051073: "`mstatus` is an M-mode CSR",  # csrw mstatus,a0
    0xF1402573: "`mhartid` is an M-mode CSR, .* a0 at the start",  # csrr a0,mhartid
    0x3A029073: "`pmpcfg0`",  # csrw pmpcfg0,t0
    0x3B029073: "`pmpaddr0`",  # csrw pmpaddr0,t0
    0x7C029073: "`0x7c0` is an M-mode CSR",
    0x60029073: "H extension",  # csrw hstatus,t0
    0x00301073: "`fcsr` .*F",  # csrw fcsr,zero
    0x10A29073: "no CSR 0x10a",  # csrw senvcfg,t0
    0xC0051073: "`cycle`, which is read-only",  # csrw cycle,a0
    0x30200073: "`mret` .*use `sret`",
    0x00004501: r"compressed instruction \(C\)",  # c.li a0,0
    0x00053507: r"floating-point .*F or D",  # fld fa0,0(a0)
    0x02A57553: r"floating-point .*F or D",  # fadd.d fa0,fa0,fa0
    0x0D0572D7: r"vector .*V",  # vsetvli t0,a0,e32
    0x02056007: r"vector .*V",  # vle32.v v0,(a0)
    0x00053503: "RV64",  # ld a0,0(a0)
    0x00A5051B: "RV64",  # addiw a0,a0,10
    0x20A52533: "Zba",  # sh1add a0,a0,a0
    0x0015200F: "Zicbom",  # cbo.clean (a0)
    0x00000000: "no code",
}


@pytest.mark.parametrize("word", WORDS, ids=hex)
def test_what_it_would_be(word):
    assert re.search(WORDS[word], explain(word) or "")


OURS = [row for row in INSNS if row.cost is not Cost.CSR]


@given(row=st.sampled_from(OURS), free=st.integers(0, 2**32 - 1))
def test_what_we_have_is_not_lacking(row, free):
    assert explain(row.match | free & ~row.mask) is None


def test_what_lacks_privilege_only_is_not_lacking():
    assert explain(BY_NAME["csrrw"].encode(0, 0x180, 1)) is None
    assert explain(BY_NAME["csrrs"].encode(1, 0xC00, 0)) is None
