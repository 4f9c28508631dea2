"""`sidebyside check`: the contract and parity over the wire, between any two running apps."""
