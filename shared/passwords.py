"""Passwords at rest: argon2id with the second recommended set of parameters of OWASP's cheat sheet."""

from argon2 import PasswordHasher

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_password(password: str) -> str:
    """The argon2id hash of a password; takes some 20 ms of CPU on purpose."""
    return _HASHER.hash(password)
