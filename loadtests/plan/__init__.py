"""What is run, in which order and for how long: pure functions of the profile, the contestants and one seed.

`plan` makes `rounds` of slices, with `arrivals` drawn for those of an open loop; `budget` fits them into the time. A
search for a capacity (`search`: its rules) is a `search_procedure`, whose rates pass by `search_two_of_three`, or by
`search_second_try` in older runs; it ends in a `search_result`. `search_slices` drives several in turn.
"""
