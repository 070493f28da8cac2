"""Ports that are handed out: each once, in a row, and what somebody else holds is passed over."""

import socket
import threading

from cti_server.demo.ports import BLOCK, free_ports


def test_each_port_is_given_once_and_those_of_one_asker_lie_in_a_row():
    given: list[list[int]] = []

    def ask():
        for _ in range(5):
            with free_ports(5) as ports:
                given.append(ports)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert all(ports == list(range(ports[0], ports[0] + 5)) for ports in given)
    assert len({port for ports in given for port in ports}) == 20 * 5


def test_what_somebody_else_holds_is_passed_over_also_after_the_last_port_of_the_block():
    with free_ports(1) as (first,), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        port = first + 2
        other.bind(("127.0.0.1", port))
        for _ in range(BLOCK):
            with free_ports(3) as ports:
                assert port not in ports
