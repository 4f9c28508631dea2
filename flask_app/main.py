"""The object that gunicorn serves: `gunicorn flask_app.main:app`."""

import gc

from flask_app import outbox
from flask_app.app import create_app
from shared.ops.draining import take_over
from shared.ops.settings import FROZEN, settings_from

settings = settings_from()
app = create_app(settings)
take_over(settings.drain_s or 0)  # gunicorn's workers have set their handlers before they import this
outbox.start(app)
if FROZEN in settings.tunings:  # in each worker: they import this after they were forked
    gc.collect()
    gc.freeze()
