"""The lock files hold every requirement of every package in them: installing resolves nothing."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11.2", "3.11.9", "3.12.9", "3.13.2", "3.14.0")

Environment = dict[str, str]


def environment(python: str) -> Environment:
    """The marker environment of this machine under another version of Python."""
    here = {name: str(value) for name, value in default_environment().items()}
    return here | {"python_version": ".".join(python.split(".")[:2]), "python_full_version": python}


def locked(python: str, *names: str) -> dict[str, str]:
    """What the lock files of these names install under that Python: versions by name."""
    found: dict[str, str] = {}
    for name in names:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if line[:1].isalnum():
                pinned = Requirement(line.removesuffix(" \\"))
                assert str(pinned.specifier).startswith("=="), line
                if applies(pinned, environment(python)):
                    found[canonicalize_name(pinned.name)] = str(pinned.specifier)[2:]
    return found


def applies(requirement: Requirement, environment: Environment, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment | {"extra": extra})


def missing(wanted: list[Requirement], lock: dict[str, str], python: str) -> list[str]:
    """What the lock lacks of these requirements and of all that they require in turn, extras included."""
    lacking, seen = [], set()
    todo = [(requirement, "the project") for requirement in wanted]
    here = environment(python)
    while todo:
        requirement, asker = todo.pop()
        name = canonicalize_name(requirement.name)
        if name not in lock or not requirement.specifier.contains(lock[name], prereleases=True):
            lacking.append(f"{asker} wants {requirement}, the lock has {lock.get(name)}")
            continue
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                todo += [(inner, name) for inner in requirements_of(name) if applies(inner, here, extra)]
    return lacking


def requirements_of(name: str) -> list[Requirement]:
    """What an installed package requires; nothing of one that only another Python installs."""
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        assert name not in locked(default_environment()["python_full_version"], *LOCKS), (
            f"{name} is not installed"
        )
        return []
    return [Requirement(line) for line in installed.requires or ()]


def project(*extras: str) -> list[Requirement]:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [
        *declared["dependencies"],
        *(line for extra in extras for line in declared["optional-dependencies"][extra]),
    ]
    return [Requirement(line) for line in lines]


LOCKS = ("requirements.lock", "requirements-test.lock")


@pytest.mark.parametrize("python", PYTHONS)
def test_what_a_run_needs_is_locked(python: str) -> None:
    assert missing(project(), locked(python, "requirements.lock"), python) == []


@pytest.mark.parametrize("python", PYTHONS)
def test_what_the_tests_need_is_locked(python: str) -> None:
    assert missing(project("test"), locked(python, *LOCKS), python) == []


def test_what_is_locked_twice_is_locked_alike() -> None:
    build, run = locked("3.11.9", "requirements-build.lock"), locked("3.11.9", "requirements.lock")
    assert {name: run[name] for name in build.keys() & run.keys()} == {
        name: build[name] for name in build.keys() & run.keys()
    }


def test_what_is_installed_is_what_is_locked() -> None:
    here = locked(default_environment()["python_full_version"], *LOCKS)
    assert {name: metadata.version(name) for name in here} == here


@pytest.mark.parametrize("lacking", ["coverage", "greenlet", "tzlocal"])
def test_a_lock_that_lacks_a_package_is_noticed(lacking: str) -> None:
    lock = locked("3.11.9", *LOCKS)
    del lock[lacking]
    assert any(f" wants {lacking}" in line for line in missing(project("test"), lock, "3.11.9"))


def test_a_lock_with_a_version_that_nobody_wants_is_noticed() -> None:
    lock = locked("3.11.9", *LOCKS) | {"werkzeug": "1.0"}
    assert any(line.startswith("flask wants werkzeug") for line in missing(project(), lock, "3.11.9"))
