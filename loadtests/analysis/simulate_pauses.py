"""Simulated runs of servers that pause: slices whose true long-run cost is known. Pure.

A server costs a unit of time per request, times the noise of its launch and of the slice, and pauses after every so
many requests. Slices are a fixed number of requests, one after the other; the count to the next pause goes on from
slice to slice and starts anywhere, since a launch has other work behind it. What is drawn has the shape that `costs`
takes.
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.random import Generator

from loadtests.analysis.costs import Slices
from loadtests.analysis.simulate import TAIL_DEGREES, NoiseModel

WIDEST = 1.0  # no slice is off by more than this, as a logarithm: beyond it, slices are set aside


@dataclass(frozen=True, slots=True)
class Server:
    """cost: of a request without pauses; pause: of one, the same unit, after every `period` requests.

    A share of the launches is `extra` dearer, as a logarithm: launches may be bimodal.
    """

    cost: float
    pause: float
    period: float
    noise: NoiseModel
    share: float = 0.0
    extra: float = 0.0

    @property
    def log_cost(self) -> float:
        """The mean over launches of the logarithm of a request's long-run cost, but for the noise of slices."""
        return log(self.cost + self.pause / self.period) + self.share * self.extra


def drawn_slices(
    rng: Generator, server: Server, runs: int, rounds: int, launches: int, blocks: int, requests: int
) -> Slices:
    """Slices of shape (runs, rounds, launches, blocks) of so many requests each; noise hits work and pauses alike."""
    shape = runs, rounds, launches, blocks
    launch = rng.normal(0, server.noise.launch, (*shape[:-1], 1))
    dear = server.extra * (rng.random((*shape[:-1], 1)) < server.share)
    own = rng.standard_t(TAIL_DEGREES, shape) * server.noise.block / sqrt(TAIL_DEGREES)
    factors = np.exp(launch + dear + np.clip(own, -WIDEST, WIDEST))
    ends = rng.random((*shape[:-1], 1)) + np.arange(1, blocks + 1) * requests / server.period
    pauses = np.floor(ends) - np.floor(ends - requests / server.period)
    return Slices(
        clean=requests * server.cost * factors,
        pause=pauses * server.pause * factors,
        requests=np.full(shape, float(requests)),
    )
