"""What goes in and out, as marshmallow schemas: one module a room."""
