"""The shop on Flask: blueprints, marshmallow schemas, one synchronous session per request."""
