"""`sidebyside selftest`: measures servers whose truth is known. Start reading at run.py.

One module per check: `delays`, `frozen`, `pauses`, `a_vs_a`, `coverage`, `injection`, `designs`. `setting` is what each
is given, `stamps` and `burning` what the servers tell, `records` what each finds.
"""
