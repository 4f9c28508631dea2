"""`sidebyside bench`. Start reading at run.py."""
