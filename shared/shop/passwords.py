"""Passwords at rest: argon2id with the second recommended set of parameters of OWASP's cheat sheet."""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

# The hash of a forgotten random password, by the parameters below.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$MMJV2I/zZlfRtA/O5qA2Pg$qcmsUvOmvnd6qbWBtYgtSMMSsv4nhVOUppMBMT67m04"
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_password(password: str, *, salt: bytes | None = None) -> str:
    """The argon2id hash of a password, by a random salt unless one is given; takes some 20 ms of CPU on purpose."""
    return _HASHER.hash(password, salt=salt)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one of a hash. Without a hash it takes as long, and returns False."""
    try:
        return _HASHER.verify(password_hash or NOBODY, password) and password_hash is not None
    except VerificationError:
        return False
