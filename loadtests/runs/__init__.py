"""A run's folder, its progress on the terminal, and paired studies outside a run."""
