"""What is closed when an answer is sent, or its client is gone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import Depends


async def closing() -> AsyncIterator[AsyncExitStack]:
    """Closes what is given to it when the answer is sent, or the client is gone: then nobody else does."""
    async with AsyncExitStack() as stack:
        yield stack


Closing = Annotated[AsyncExitStack, Depends(closing)]
