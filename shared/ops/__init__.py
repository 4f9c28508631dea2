"""What both apps run with: settings, logs, metrics, draining, background tasks."""
