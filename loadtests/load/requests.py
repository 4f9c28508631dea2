"""Requests as they are sent: bytes prepared in advance from a scenario's templates, drawn from a seed. Pure."""

import re
from dataclasses import dataclass
from math import ceil, gcd
from random import Random

from wsproto.frame_protocol import FrameProtocol

from loadtests.config.fields import DERIVED, FIELD, FIELDS, UNIQUE
from loadtests.config.scenarios import RequestTemplate, Scenario

_SERIAL = b"%016d"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A complete HTTP/1.1 request, the status it must be answered with, and what the answer's body must be.

    serials: positions in `wire` of the 16-digit numbers that are replaced each time it is sent. varies: what of the
    body may differ between two servers, as JSON pointers.
    """

    wire: bytes
    status: int
    keys: tuple[str, ...]
    json: bool = True
    serials: tuple[int, ...] = ()
    varies: tuple[str, ...] = ()

    def numbered(self, serial: int) -> bytes:
        """The bytes to send, with that number at every position."""
        wire = bytearray(self.wire)
        for position in self.serials:
            wire[position : position + 16] = _SERIAL % serial
        return bytes(wire)


def prepare(scenario: Scenario, seed: int, count: int = 512) -> tuple[Prepared, ...]:
    """At least `count` requests drawn from the seed, in whole cycles of the mix; the same for every contestant.

    Each cycle holds every kind of request as often as its weight says, in an order of its own.
    """
    rng = Random(f"{scenario.name}/{seed}")
    weights = [template.weight for template in scenario.requests]
    cycle = [one for one in scenario.requests for _ in range(one.weight // gcd(*weights))]
    make = _message if scenario.kind == "websocket" else _prepared
    cycles = (rng.sample(cycle, len(cycle)) for _ in range(ceil(count / len(cycle))))
    return tuple(make(template, rng) for ordered in cycles for template in ordered)


def prepare_setup(scenario: Scenario, seed: int) -> tuple[Prepared, ...]:
    """The requests that are sent before a server's first slice of the scenario, each once."""
    rng = Random(f"{scenario.name}/{seed}/setup")
    return tuple(_prepared(template, rng) for template in scenario.setup)


def _prepared(template: RequestTemplate, rng: Random) -> Prepared:
    wire = _wire(template, _Fields(rng))
    serials = tuple(found.start() for found in re.finditer(UNIQUE.encode(), wire))
    return Prepared(wire, template.status, template.keys, template.json, serials, template.varies)


def _message(template: RequestTemplate, rng: Random) -> Prepared:
    """A request that is a message: its body as a text frame, masked with a random key."""
    text = _fill(template.body or "", _Fields(rng))
    wire = FrameProtocol(client=True, extensions=[]).send_data(text)
    return Prepared(bytes(wire), template.status, template.keys, template.json, varies=template.varies)


class _Fields(dict[str, str]):
    """The fields of one request, drawn when they are first used."""

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self._rng = rng

    def __missing__(self, name: str) -> str:
        if name in DERIVED:
            source, derive = DERIVED[name]
            self[name] = derive(self[source])
        else:
            self[name] = FIELDS[name](self._rng)
        return self[name]


def _wire(template: RequestTemplate, fields: _Fields) -> bytes:
    head = f"{template.method} {_fill(template.path, fields)} HTTP/1.1\r\nHost: sidebyside\r\n"
    headers = {name: _fill(value, fields) for name, value in template.headers.items()}
    body = b""
    if template.body is not None:
        body = _fill(template.body, fields).encode()
        headers = {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{head}{lines}\r\n".encode() + body


def _fill(text: str, fields: _Fields) -> str:
    return FIELD.sub(lambda match: fields[match[1]], text)
