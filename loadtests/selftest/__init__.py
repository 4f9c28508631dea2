"""`sidebyside selftest`: measures servers whose truth is known. Start reading at run.py.

One module per check: `delays`, `frozen`, `a_vs_a`, `coverage`, `injection`, `designs`; `setting` is what each is given,
`records` what each finds.
"""
