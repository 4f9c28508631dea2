"""How a route takes an uploaded file: a form with one part."""

from typing import Annotated

from fastapi import Form, UploadFile

from fastapi_app.schemas.base import Input
from shared.http.uploads import FORM


class UploadForm(Input):
    """A form that holds one file."""

    file: UploadFile


Upload = Annotated[UploadForm, Form(media_type=FORM)]
