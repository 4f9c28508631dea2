"""The raw truth of a run: what was measured, slice by slice, as it is kept on disk."""
