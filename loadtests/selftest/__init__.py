"""The suite measures servers whose truth is known, and says how often it was right. Start reading at run.py."""
