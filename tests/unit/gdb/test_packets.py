"""Packets are found in bytes however these are cut, and nonsense does no harm."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toyisa.machine import Machine
from vmm.gdb.packets import INTERRUPT, Channel, Closed, unescape
from vmm.gdb.session import Session
from vmm.gdb.timeline import Timeline


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours.fileno(), ours.fileno()), theirs


def framed(data):
    return b"$%s#%02x" % (data, sum(data) & 0xFF)


def test_packets_in_pieces(pair):
    channel, gdb = pair
    gdb.sendall(b"+" + framed(b"g") + framed(b"m0,4")[:3])
    assert channel.receive() == b"g"
    gdb.sendall(framed(b"m0,4")[3:] + b"\x03")
    assert channel.receive() == b"m0,4"
    assert channel.receive() == INTERRUPT
    assert gdb.recv(10) == b"++"


def test_a_wrong_checksum_is_asked_for_again(pair):
    channel, gdb = pair
    gdb.sendall(b"$g#00" + framed(b"g"))
    assert channel.receive() == b"g"
    assert gdb.recv(10) == b"-+"


def test_closed(pair):
    channel, gdb = pair
    gdb.close()
    with pytest.raises(Closed):
        channel.receive()
    with pytest.raises(Closed):
        channel.interrupted()


@given(st.binary())
def test_any_data_survives_the_way(data):
    source, sink = os.pipe()
    try:
        Channel(source, sink).send(data)
        sent = os.read(source, 1 << 16)
    finally:
        os.close(source)
        os.close(sink)
    assert sent.startswith(b"$")
    assert not set(sent[1:-3]) & set(b"$#*")
    assert unescape(sent[1:-3]) == data
    assert int(sent[-2:], 16) == sum(sent[1:-3]) & 0xFF


@pytest.fixture(scope="module")
def session():
    machine = Machine(mem=1 << 20)
    machine.boot(0x8000_0000, 0)
    return Session(None, Timeline(machine, lambda: None, lambda data: None))


HEADS = ("m", "M", "X", "p", "P", "g", "G", "Z0,", "Z2,", "z1,", "qXfer:features:read:target.xml:",
         "qRcmd,", "vFoo", "H", "T", "q", "\xff")  # fmt: skip


@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=20).map(lambda b: b.decode("latin-1")))
def test_no_packet_breaks_the_stub(session, head, rest):
    reply = session.answer((head + rest).encode("latin-1"))
    assert reply is None or isinstance(reply, bytes)
    assert session.machine.instret == 0
