"""Mails to users: what they say, and when one counts as sent."""

from datetime import datetime

from shared.shop.tables import Mail, User

BATCH_MAX = 100


def welcome(user: User, at: datetime) -> Mail:
    """The mail that greets a new user. Saved together with the user, so that neither exists without the other."""
    return Mail(
        user=user,
        kind="welcome",
        recipient=user.email,
        subject="Welcome to the shop",
        body=f"Hello {user.username}, your account is ready.",
        created_at=at,
        sent_at=None,
    )


def send(mail: Mail, at: datetime) -> None:
    """Sends a mail: here the time is recorded and nothing leaves the machine.

    The caller has locked the row and commits after this, so that no mail is sent by two. With a real mail server in
    this place a process killed between sending and commit would send it again: at least once is what remains.
    """
    mail.sent_at = at
