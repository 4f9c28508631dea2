"""Processes that are started, awaited and ended in one place, and what becomes of them when this one is killed."""

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from loadtests.errors import ServerError
from loadtests.machine.launch import launch_argv
from loadtests.machine.processes import (
    Child,
    Program,
    await_end,
    await_ready,
    end,
    followed,
    output_of,
    running,
    start,
)
from tests.support.waiting import eventually

READY = "print('ready', flush=True)"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def script(code: str, **options: object) -> Program:
    """A Python program of that code."""
    return Program("it", (sys.executable, "-c", code), **options)  # type: ignore[arg-type]


def sleeping(code: str = "", **options: object) -> Program:
    """A program that sleeps once the code has run."""
    return script(f"import os, signal, sys, time\n{code}\n{READY}\ntime.sleep(60)", **options)


def ready(child: Child) -> Child:
    await_ready({child: child.has_written})
    return child


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_program_is_asked_to_end_with_its_own_signal_and_has_time_to_obey(tmp_path: Path) -> None:
    farewell = (
        "def farewell(*_): print('goodbye', flush=True); os._exit(0)\nsignal.signal(signal.SIGINT, farewell)"
    )
    child = ready(start(sleeping(farewell, stop=signal.SIGINT), tmp_path / "log"))

    end([child])

    assert child.log.read_text() == "ready\ngoodbye\n"
    assert child.how_ended() == "ended with status 0"


def test_a_program_that_goes_on_is_killed_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.machine.processes.STOP_S", 0.1)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.fork()"
    child = ready(start(sleeping(deaf), tmp_path / "log"))
    (forked,) = psutil.Process(child.pid).children()

    end([child])

    assert child.how_ended() == "was killed by SIGKILL"
    eventually(lambda: not is_running(forked.pid), "it has ended")


def test_a_program_has_its_variables_its_folder_and_its_cpus(tmp_path: Path) -> None:
    cpu = min(os.sched_getaffinity(0))
    code = "import os; print(os.environ['SAID'], os.getcwd(), os.sched_getaffinity(0), flush=True)"
    program = script(code, variables={"SAID": "hello"}, folder=str(tmp_path), cpus=(cpu,), prints=True)

    with running(program) as child:
        assert child.process.stdout
        assert child.process.stdout.read() == f"hello {tmp_path} {{{cpu}}}\n"


@AS_ROOT
def test_a_program_of_another_user_has_none_of_our_rights() -> None:
    nobody = pwd.getpwnam("nobody")
    code = "id -u; id -g; test -r /etc/shadow || echo no"

    with running(Program("it", ("/bin/sh", "-c", code), user="nobody")) as child:
        await_end(child.pid)
        assert child.log.read_text() == f"{nobody.pw_uid}\n{nobody.pw_gid}\nno\n"


def test_the_last_lines_that_it_wrote_are_reported() -> None:
    with running(script("for number in range(9): print(number)\nprint()")) as child:
        await_end(child.pid)

        assert child.report(child.how_ended()) == "it ended with status 0; it said: 5 | 6 | 7 | 8"


def test_a_program_that_says_nothing_is_reported_too() -> None:
    with running(script("pass")) as child:
        await_end(child.pid)

        assert child.report("ended") == "it ended; it said: nothing"


def test_each_is_ready_by_itself_and_how_long_it_took_is_known() -> None:
    with running(sleeping()) as quick, running(sleeping("time.sleep(0.3)")) as slow:
        ready_s = await_ready({quick: quick.has_written, slow: slow.has_written})

    assert 0 < ready_s[quick] < ready_s[slow]
    assert ready_s[slow] > 0.3


def test_a_program_that_is_never_ready_is_given_up() -> None:
    with (
        running(sleeping()) as child,
        pytest.raises(ServerError, match=r"it gave no answer within 0\.2 s; it said: "),
    ):
        await_ready({child: lambda: False}, within_s=0.2)


def test_a_program_that_ends_before_it_is_ready_is_told_at_once() -> None:
    with (
        running(script("raise SystemExit('no database here')")) as child,
        pytest.raises(
            ServerError, match="it ended with status 1 before it answered; it said: no database here"
        ),
    ):
        await_ready({child: lambda: False})


def test_the_output_of_a_program_is_what_it_prints_until_it_ends() -> None:
    assert output_of([sys.executable, "-c", "print('done')"], ()) == "done\n"
    with pytest.raises(subprocess.CalledProcessError):
        output_of([sys.executable, "-c", "raise SystemExit(3)"], ())


def test_a_log_is_followed_from_its_first_line_on(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with running(sleeping()) as child, copy.open("w") as to, followed(str(ready(child).log), child.pid, to):
        eventually(lambda: copy.read_text() == "ready\n", "the log is copied")


PARENT = """
import signal, sys, time
from loadtests.machine.processes import Program, await_ready, running
code = '''import os, signal, sys, time
def told(number, _): open(sys.argv[1], "w").write(signal.Signals(number).name); os._exit(0)
signal.signal(signal.SIGINT, told)
print(os.getpid(), flush=True)
time.sleep(60)'''
program = Program("it", (sys.executable, "-c", code, sys.argv[1]), if_orphaned=signal.SIGINT)
with running(program) as child:
    await_ready({child: child.has_written})
    print(child.pid, flush=True)
    time.sleep(60)
"""


def test_a_program_whose_parent_is_killed_gets_the_signal_it_asked_for(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", PARENT, str(tmp_path / "told")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()

    eventually(lambda: not is_running(pid), "it has ended")
    assert (tmp_path / "told").read_text() == "SIGINT"


def test_a_program_whose_parent_is_gone_already_does_not_start() -> None:
    argv = launch_argv([sys.executable, "-c", READY], ())
    argv[argv.index(str(os.getpid()))] = "1"  # as if another process had started it

    ended = subprocess.run(argv, capture_output=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, b"")
    assert ended.stderr == b"the parent process has ended\n"
