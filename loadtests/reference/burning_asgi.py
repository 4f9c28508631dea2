"""Any ASGI application with a known amount of extra CPU work per request: environment variables name both."""

from loadtests.reference import stamped
from loadtests.reference.burner import STAMPS, from_environment

wrapped, burner = from_environment()
app = stamped.asgi(wrapped, burner.burn, STAMPS, burner.stamps)
