"""What on this machine will hurt a benchmark, and how small a difference is likely to be visible here.

Start at `facts.gather`: it takes what the kernel says (`machine.kernel`, `machine.cgroups`), what `probes` try out,
which other processes are `busy`, and whether `folders` can be written. `findings` judges the facts by the rules of
`cpu_rules` and `resource_rules`. `noise` measures a server against itself, `forecast` says what that means for a run.
"""
