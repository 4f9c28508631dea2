"""A run on disk and in time: its `folder`, its `record`, `measuring` its rounds, `progress` on the terminal.

`paired_study` measures outside a run, for selftest, doctor and studies.
"""
