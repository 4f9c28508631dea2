"""The load harness: plan, servers, load, samples, statistics, verdicts, report. Imports neither app."""
