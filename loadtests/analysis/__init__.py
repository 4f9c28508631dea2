"""From samples to verdicts, without clocks, files or processes.

`digest` reduces samples to a few rows per slice, `observations` to one value per block; `estimates` puts intervals
around them, and `estimators` chooses by metric how: `costs`, `tails`, `readings`. `gates` (`load_gates`,
`answer_gates`, on `evidence`) say which figures must not be trusted. `cells`, `comparisons` and the `decision` on each
make the `summary` in `verdict`. `twins` are servers against themselves. `precision` steers a run, `simulate` and
`simulate_pauses` draw runs whose truth is known; `mixture` tells whether launches form two groups.
"""
