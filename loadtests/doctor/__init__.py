"""What on this machine will hurt a benchmark, and how small a difference is likely to be visible here.

`kernel` and `cgroups` read what the kernel says, `probes` try things out, `facts` gathers both; `findings` judges the
facts. `sight` measures a server against itself, `forecast` says what that means for a run.
"""
