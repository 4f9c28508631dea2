"""What is run, in which order and for how long: pure functions of the profile, the contestants and one seed."""
