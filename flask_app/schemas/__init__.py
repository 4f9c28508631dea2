"""Input and output as marshmallow schemas: one module per resource."""
