"""From a summary to the pages of a report. Nothing here measures or judges. Start reading at document.py.

`tables` is the one table model; `terminal`, `markdown` and `html` render it, `files` writes the pages. `answer`,
`floors`, `pauses`, `itself`, `reading` and `words` are the sentences, `evidence`, `loads` and `itself` the tables of
numbers, `charts` the pictures, `histograms` the logs for HdrHistogram's tools, `compare` two runs.
"""
