"""The caller of a request, and what it may do."""

from dataclasses import dataclass

from shared.shop.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, as the token says: a change of rights takes effect with the next token, within 15 minutes."""

    user_id: int
    is_admin: bool

    def may_touch(self, owner_id: int) -> None:
        """Raises Forbidden unless what belongs to `owner_id` is the caller's, or the caller is an admin."""
        if not self.is_admin and owner_id != self.user_id:
            raise Forbidden("This belongs to somebody else.")

    def must_be_admin(self) -> None:
        """Raises Forbidden unless the caller is an admin."""
        if not self.is_admin:
            raise Forbidden("Only admins may do this.")
