"""Input and output as pydantic models: one module per resource."""
