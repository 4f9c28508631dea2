"""What load a server carries: the search for its capacity, its knee, and what it does beyond.

Start reading at run.py; the procedure is in plan/search.py.
"""
