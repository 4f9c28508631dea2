"""What the generator is told, and what it tells, comes through as it was."""

from loadtests.load.protocol import Assignment, SliceDone, from_json, from_line, to_json, to_line
from loadtests.machine.servers import Endpoint
from loadtests.plan.rounds import Round
from loadtests.plan.search import Search
from tests.support.driving import PING, USERS, piece


def test_an_assignment_survives_the_way_through_json() -> None:
    endpoint = Endpoint("a#2", "127.0.0.1", 80, 1, ("x", "y"), keep_alive=True, start_s=0.5)
    slices = (piece(0, "a#2"), piece(1, "a#2", "open"))
    searches = (Search("ping", "a#2", 50.0, 7, "constant", users=USERS + 1),)
    assignment = Assignment(Round(1, slices, searches), (PING,), (endpoint,), 5, 10.0, "there")

    assert from_json(to_json(assignment)) == assignment
    assert assignment.round.users == USERS + 1


def test_progress_survives_the_way_through_a_line() -> None:
    progress = SliceDone(3, "ping", "a#2", "open", 10, 1, 400.0)

    assert from_line(to_line(progress)) == progress
    assert from_line("something else\n") is None
