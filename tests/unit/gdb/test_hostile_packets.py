"""No packet, no number in one, and no bytes at all break the stub or make it grow."""

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gdb.test_packets import framed
from toyisa.machine import Machine
from toyisa.tables.insns import BY_NAME as INSNS
from vmm.gdb import session as session_module
from vmm.gdb.packets import CHUNK, LARGEST, RESENDS, Channel, Closed
from vmm.gdb.session import FULL, MARKS, PACKET, End, Session
from vmm.gdb.target import description
from vmm.gdb.timeline import Timeline

# li a7, 8; ecall: what runs on, ends.
HALT = b"".join(word.to_bytes(4, "little") for word in
                (INSNS["addi"].encode(17, 0, 8), INSNS["ecall"].encode()))  # fmt: skip


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours.fileno(), ours.fileno()), theirs


@pytest.fixture(scope="module")
def session():
    machine = Machine(mem=1 << 20)
    machine.boot(0x8000_0000, 0)
    return Session(None, Timeline(machine, lambda: None, lambda data: None))


def test_an_endless_packet_is_dropped(pair):
    """It takes only limited memory, and the next packet is answered."""
    channel, gdb = pair
    piece = b"x" * (1 << 12)
    gdb.sendall(b"$")
    for _ in range(5 * LARGEST // len(piece)):
        gdb.sendall(piece)
        channel._fill(0)
        assert channel._next() is None
        assert len(channel._buffer) <= LARGEST + CHUNK
    gdb.sendall(b"#00" + framed(b"g"))
    assert channel.receive() == b"g"
    assert gdb.recv(10) == b"-+"


@pytest.mark.parametrize(("junk", "acks"), [
    (b"++++", b"+"), (b"garbage", b"+"), (b"\0\xff#12#", b"+"), (b"$m0,4", b"+"), (b"$}", b"+"),
    (b"#", b"+"), (b"$x#zz", b"-+"), (b"$}#7d", b"++"),
])  # fmt: skip
def test_junk_before_a_packet(pair, junk, acks):
    channel, gdb = pair
    gdb.sendall(junk + framed(b"g"))
    got = channel.receive()
    if acks == b"++":
        assert got == b""
        got = channel.receive()
    assert got == b"g"
    assert gdb.recv(10) == acks


def test_a_packet_is_sent_again_some_times(pair):
    channel, gdb = pair
    gdb.sendall(b"-" * 1000 + framed(b"g"))  # nothing was sent yet
    assert channel.receive() == b"g"
    assert gdb.recv(100) == b"+"
    channel.send(b"OK")
    gdb.sendall(b"-" * 1000 + framed(b"g"))
    assert channel.receive() == b"g"
    assert gdb.recv(100) == framed(b"OK") * (1 + RESENDS) + b"+"
    channel.acks = False
    gdb.sendall(b"---" + framed(b"g"))
    assert channel.receive() == b"g"


def test_a_greeting_that_was_sent_again_is_answered_once(pair):
    channel, gdb = pair
    hello = framed(b"qSupported:multiprocess+")
    gdb.sendall(b"+" + hello + b"-" + hello + hello + framed(b"g"))
    assert channel.receive() == b"qSupported:multiprocess+"
    assert gdb.recv(10) == b"+++"
    assert channel.receive() == b"g"
    gdb.sendall(hello)  # later on it is a question of its own
    assert channel.receive() == b"qSupported:multiprocess+"


def test_ctrl_c_behind_noise_and_amid_a_flood(pair):
    channel, gdb = pair
    gdb.sendall(b"++-\x03")
    assert channel.interrupted()
    assert not channel.interrupted()
    gdb.sendall(b"$" + b"x" * 1000)
    assert not channel.interrupted()
    gdb.sendall(b"\x03")  # data, of a packet that has begun
    assert not channel.interrupted()
    for _ in range(64):
        gdb.sendall(b"x" * (1 << 12))
        assert not channel.interrupted()
        assert len(channel._buffer) <= LARGEST
    gdb.close()
    with pytest.raises(Closed):
        channel.interrupted()


@pytest.mark.parametrize("cut", range(9))
def test_closed_at_any_byte(pair, session, cut):
    channel, gdb = pair
    gdb.sendall((framed(b"m0,4") * 2)[:cut])
    gdb.close()
    talking = Session(channel, session.timeline)
    assert talking.talk() is End.KILLED
    assert talking.end is End.KILLED


HUGE = "f" * 16


@pytest.mark.parametrize(("packet", "reply"), [
    ("m-1,5", "E16"), ("m0,-1", "E16"), ("m+0,4", "E16"), ("m0x80000000,4", "E16"),
    ("m0,", "E16"), ("m 80000000,4", "E16"), ("m8_0,4", "E16"), (f"m{HUGE}f,4", "E16"),
    ("m100000000,4", "E16"), ("m8000000000000000,4", "E16"), (f"m0,{HUGE}", "E0e"),
    ("m80000000,0", "E0e"), ("m80000000", "E16"), ("m80000000,4,4", "E16"), ("m", "E16"),
    ("m,", "E16"), ("M80000000,4:00", "E16"), ("M80000000,1:0", "E16"), ("M80000000,-1:", "E16"),
    ("M-1,1:00", "E16"), ("Mffffffff,2:0000", "E0e"), (f"X{HUGE},0:", "OK"),
    ("X80000000,2:a", "E16"), ("p-1", "E16"), (f"p{HUGE}", "E16"), ("P0=", "E16"),
    (f"P1={HUGE}", "E16"), ("P1=00", "E16"), ("P-1=00000000", "E16"),
    (f"P{HUGE}=00000000", "E16"), ("G00", "E16"), ("G" + "00" * 136, "E16"), ("Z0,-1,4", "E16"),
    (f"Z0,{HUGE}0,4", "E16"), ("Z0,80000000", "E16"), ("Z0,80000000,4,4", "E16"),
    ("Z2,80000000,0", "E16"), (f"Z2,80000000,{HUGE}", "E16"), ("Z3,ffffffff,2", "E16"),
    ("Z5,80000000,4", ""), ("Z-1,80000000,4", ""), ("Z00,80000000,4", ""),
    ("z0,80000000,-4", "E16"), ("vCont;", "E16"), ("vCont;;", "E16"), ("vCont;x", "E16"),
    ("vCont;cc", "E16"), ("vCont;C", "E16"), ("vCont;C5", "E16"), ("vCont;s:", "E16"),
    ("vCont;s:-x", "E16"), ("vCont;r0,4", "E16"), ("vCont;\xff", "E16"), ("vCont", ""),
    ("vContc", ""), ("c-1", "E16"), ("cx", "E16"), ("s100000000", "E16"), ("qC", "QC1"),
    ("qCRC:80000000,4", ""), ("qCfoo", ""), ("qC:1", ""), ("qSupportedfoo", ""),
    ("qAttached", "1"), ("qAttached:1", "1"), ("qAttachedx", ""), ("qfThreadInfox", ""),
    ("gx", ""), ("?x", ""), ("bsx", ""), ("kx", ""), ("Dx", ""), ("", ""), ("qRcmd,x", "E16"),
    ("qRcmd,6", "E16"), ("qXfer:features:read:target.xml:-1,5", "E16"),
    ("qXfer:features:read:target.xml:0,-1", "E16"),
    (f"qXfer:features:read:target.xml:{HUGE},{HUGE}", "l"),
    ("qXfer:features:read:other.xml:0,5", ""),
])  # fmt: skip
def test_what_is_no_packet_is_answered_so(session, packet, reply):
    assert session.answer(packet.encode("latin-1")) == reply.encode()
    assert (session.machine.instret, session.end) == (0, None)
    assert session.breakpoints == session.watches == set()


def test_numbers_as_gdb_writes_them(session):
    machine = session.machine
    machine.poke(0x8000_0000, bytes(range(16)))
    assert session.answer(b"m80000000,4") == session.answer(b"mffffffff80000000,4") == b"00010203"
    reply = session.answer(b"m80000000,ffffffffffffffff")
    assert len(reply) <= PACKET - 1
    assert reply.startswith(b"000102")
    assert session.answer(b"X80000ffe,4:\x03$#}") == b"OK"  # over the end of a page
    assert session.answer(b"m80000ffe,4") == b"0324237d"
    assert session.answer(b"X800ffffe,4:abcd") == b"E0e"  # half of it is outside RAM
    assert session.answer(b"m800ffffe,2") == b"0000"
    assert session.answer(b"P20=02000080") == b"OK"
    assert session.answer(b"p20") == b"00000080"  # a multiple of 4
    whole = b"".join(
        session.answer(b"qXfer:features:read:target.xml:%x,100" % at)[1:]
        for at in range(0, len(description()), 0x100)
    )
    assert whole.decode() == description()
    assert len(session.answer(b"qXfer:features:read:target.xml:0,ffffffff")) <= PACKET


def test_a_long_answer_to_monitor_comes_in_pieces(pair, session):
    channel, gdb = pair
    talking = Session(channel, session.timeline)
    last = talking.answer(b"qRcmd," + b"phys 0x80000000 1024".hex().encode())
    channel.acks = False
    told = b""
    while len(told) < 20 * 1024 - len(last) // 2:
        got = gdb.recv(1 << 20)
        for packet in got.split(b"$O")[1:]:
            assert len(packet) <= PACKET + 3
            told += bytes.fromhex(packet[:-3].decode())
    told += bytes.fromhex(last.decode())
    assert told.count(b"\n") == 1024
    for line in ("phys 99999999999999999999 4", "phys -5", f"walk {'9' * 3000}", "walk -1", "csr x",
                 f"phys 0 {'9' * 3000}", "\xff", ""):  # fmt: skip
        assert isinstance(talking.answer(b"qRcmd," + line.encode().hex().encode()), bytes)


def test_breakpoints_are_bounded(session):
    replies = {session.answer(b"Z0,%x,4" % (0x8000_0000 + 4 * n)) for n in range(MARKS + 5)}
    assert replies == {b"OK", FULL}
    for n in range(MARKS):
        assert session.answer(b"z0,%x,4" % (0x8000_0000 + 4 * n)) == b"OK"
    assert not session.breakpoints


NUMBERS = st.one_of(
    st.integers(0, 1 << 70).map(lambda n: f"{n:x}"),
    st.sampled_from(["", "-1", "80000000", "ffffffff", HUGE]),
    st.integers(0, 300).map(str), st.text(max_size=3),
)  # fmt: skip
HEADS_OF_ALL = [head for head, _, _ in session_module._HANDLERS]
LIKELY = st.builds(
    lambda head, first, mark, second, rest: f"{head}{first}{mark}{second}{rest}",
    st.sampled_from(HEADS_OF_ALL), NUMBERS,
    st.sampled_from([",", ":", ";", "=", "", ",4:"]), NUMBERS,
    st.sampled_from(["", ":00", ",4", ";X1,0", "#"]),
).map(lambda text: text.encode("utf-8"))  # fmt: skip
FRAMED = LIKELY.map(framed)
CUT_OFF = LIKELY.map(lambda data: b"$" + data)
MARK = st.sampled_from([b"+", b"-", b"\x03", b"#", b"$", b"}"])
PIECE = st.one_of(FRAMED, FRAMED, st.binary(max_size=20), CUT_OFF, MARK)
BYTES = st.lists(PIECE, max_size=12)


@settings(max_examples=300, deadline=None)
@given(pieces=BYTES, cut=st.integers(0, 400))
def test_no_bytes_break_a_conversation(pieces, cut):
    """Whatever bytes come: the conversation ends without an exception, and answers have a
    limited length.
    """
    machine = Machine(mem=1 << 20)
    machine.boot(0x8000_0000, 0)
    machine.poke(0x8000_0000, HALT)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(pieces)[: cut or None])
        theirs.shutdown(socket.SHUT_WR)
        channel = Channel(ours.fileno(), ours.fileno())
        talking = Session(channel, Timeline(machine, lambda: None, lambda data: None))
        sent = []
        right = channel.send
        channel.send = lambda data: (sent.append(len(data)), right(data))
        assert isinstance(talking.talk(), End)
    assert all(size <= PACKET for size in sent)
    assert len(sent) <= 2 * sum(map(len, pieces))
