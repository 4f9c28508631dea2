"""The shop on Flask: blueprints, marshmallow schemas, a synchronous session a request."""
