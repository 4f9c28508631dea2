"""From a summary to the pages of a report. Nothing here measures or judges. Start reading at document.py.

`tables` is the one table model; `terminal`, `markdown` and `html` render it, `files` writes the pages. `answer`,
`floors`, `reading` and `words` are the sentences, `evidence` the tables of numbers, `charts` the pictures, `compare`
two runs.
"""
