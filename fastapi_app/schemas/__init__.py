"""What goes in and out, as pydantic models: one module a room."""
