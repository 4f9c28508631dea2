"""`sidebyside bench`. Start reading at run.py; `record` is stored with the samples, `progress` shows on a terminal."""
