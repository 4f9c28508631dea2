"""From samples to judgement: digests, estimates, gates, verdicts. Pure."""
