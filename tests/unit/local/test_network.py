"""Ports: who holds one, and which addresses stand in the way."""

from __future__ import annotations

import os
import socket

import pytest

from local.config import Ports
from local.network import answers, covers_loopback, holder_of


@pytest.mark.parametrize(
    ("hex_address", "covers"),
    [
        pytest.param("0100007F", True, id="127.0.0.1"),
        pytest.param("00000000", True, id="any-IPv4"),
        pytest.param("0200007F", False, id="127.0.0.2"),
        pytest.param("0101A8C0", False, id="192.168.1.1"),
        pytest.param("00000000000000000000000000000000", True, id="any-IPv6"),
        pytest.param("00000000000000000000000001000000", False, id="::1"),
        pytest.param("0000000000000000FFFF00000100007F", True, id="::ffff:127.0.0.1"),
    ],
)
def test_addresses_that_keep_loopback_from_being_bound(hex_address: str, *, covers: bool) -> None:
    assert covers_loopback(hex_address) is covers


def test_the_holder_of_a_port_is_named_while_it_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        holder = holder_of(port)
        assert holder is not None
        assert holder.description.startswith(f"process {os.getpid()} (")
        assert answers(f"http://127.0.0.1:{port}/", timeout_seconds=0.05) is False
    assert holder_of(port) is None


def test_free_ports_differ_and_are_free() -> None:
    ports = list(vars(Ports.free()).values())
    assert len(set(ports)) == len(ports)
    assert [holder_of(port) for port in ports] == [None] * len(ports)
