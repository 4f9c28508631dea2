"""`sidebyside capacity`: the highest rate a server carries, its knee, and what it does beyond. Start reading at
run.py.

The search itself is in plan/search_procedure.py. `replay` repeats it over stored samples, with the `curves` and the
`overload` that follow; `verdict` judges all rounds; `answer`, `tables`, `charts` and `export` make the `report`.
"""
