"""Any ASGI application with a full garbage collection every so many requests: see collector.py."""

from loadtests.reference import stamped
from loadtests.reference.collector import STAMPS, from_environment

wrapped, collector = from_environment()
app = stamped.asgi(wrapped, collector.count, STAMPS, collector.stamps)
