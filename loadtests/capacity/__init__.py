"""What load a server carries: the search for its capacity, its knee, and what it does beyond.

Start reading at measure.py for the story and at search.py for the procedure.
"""
