"""How a route takes an uploaded file, out of a form that python-multipart parses."""

from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from fastapi_app.api import StrictRequest, StrictRoute
from fastapi_app.headers import header
from shared.http.uploads import (
    PARTS_MAX,
    SPOOL_MAX_BYTES,
    TEXT_MAX_BYTES,
    UPLOAD_MAX,
    UPLOAD_MAX_BYTES,
    Watch,
    boundary_of,
    the_file,
)
from shared.shop.errors import Invalid, MalformedBody, TooLarge


class UploadRequest(StrictRequest):
    """A request whose body is a form with one file by the contract's rules, read before FastAPI looks at it."""

    async def load(self) -> None:
        """Reads and parses the form. Raises UnsupportedMediaType, TooLarge, MalformedBody or Invalid."""
        self._form = await self._parse(boundary_of(header(self.scope, b"content-type")))
        try:
            the_file(
                [
                    (name, part if isinstance(part, UploadFile) else None)
                    for name, part in self._form.multi_items()
                ]
            )
        except (Invalid, MalformedBody):
            await self._form.close()
            raise

    async def _parse(self, boundary: str) -> FormData:
        if int(self.headers.get("content-length", 0)) > UPLOAD_MAX_BYTES:
            raise TooLarge(UPLOAD_MAX)
        declared = Headers({"content-type": f'multipart/form-data; boundary="{boundary}"'})
        parser = _WholeForm(
            declared,
            self._watched(Watch(boundary)),
            max_files=PARTS_MAX,
            max_fields=PARTS_MAX,
            max_part_size=TEXT_MAX_BYTES,
        )
        try:
            return await parser.parse()
        except (MultiPartException, ClientDisconnect):
            raise MalformedBody from None

    async def _watched(self, watch: Watch) -> AsyncGenerator[bytes, None]:
        """The body's pieces, looked at as they come."""
        async for chunk in self.stream():
            yield watch.see(chunk)


class UploadRoute(StrictRoute):
    """A route that reads its request through UploadRequest."""

    request_class = UploadRequest


class _WholeForm(MultiPartParser):
    """Starlette's parser, which takes a form that ends too early for a whole one."""

    spool_max_size = SPOOL_MAX_BYTES
    ended = False

    def on_end(self) -> None:
        """Notes that the last boundary came."""
        self.ended = True

    def on_headers_finished(self) -> None:
        """Refuses headers that are no UTF-8, which Starlette would take for Latin-1."""
        try:
            for _, value in self._current_part.item_headers:
                value.decode()
        except UnicodeDecodeError:
            raise MultiPartException("A header is no UTF-8.") from None
        super().on_headers_finished()

    async def parse(self) -> FormData:
        """The form; raises MultiPartException when it is broken or cut off."""
        form = await super().parse()
        if not self.ended:
            await form.close()
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("The form is cut off.")
        return form
