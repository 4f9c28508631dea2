"""The object that uvicorn serves: `uvicorn fastapi_app.main:app`."""

from fastapi_app.app import create_app
from shared.ops.settings import settings_from

app = create_app(settings_from())
