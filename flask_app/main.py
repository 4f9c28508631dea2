"""The object that gunicorn serves: `gunicorn flask_app.main:app`."""

from flask_app.app import create_app
from shared.settings import settings_from

app = create_app(settings_from())
