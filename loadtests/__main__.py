"""`python -m loadtests` is the console script `sidebyside`."""

from loadtests.cli import main

main()
