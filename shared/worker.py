"""The object that Celery's worker serves: `celery -A shared.worker worker`."""

from shared.settings import settings_from
from shared.tasks import make_worker

app = make_worker(settings_from())
