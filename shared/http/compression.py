"""Which answers are compressed with gzip, and how well: by the same measure in both apps."""

MIN_BYTES = 1024
LEVEL = 5
