"""The paragraphs that explain a report to a first-time reader."""

HOW_TO_READ = (
    "Every ratio is a / b, the first server over the second: 0.50 in throughput means half as many requests per second,"
    " 2.00 in CPU means twice the cost. The range next to it is the plain 95 % interval. If it excludes 1, one server"
    " is better; if it lies within the margin on both sides of 1, the two are equivalent; otherwise the run was too"
    " short, or the machine too noisy, to tell. Throughput and CPU of the pair that opens the report, chosen"
    " beforehand, are judged by wider intervals, so that all of these verdicts hold together (Holm); the rest is"
    " exploratory. A figure that is struck out failed a gate: it is shown, but proves nothing."
)

METHOD = (
    "In every round all servers are started as fresh processes and run at the same time. They are loaded in turn, in"
    " short slices; a block holds one slice of each, in random order (drawn from the seed), with the same requests for"
    " all, so that a disturbance of the machine affects them alike. Throughput and CPU come from closed loops, where a"
    " fixed number of users send the next request as soon as the last is answered. Latencies come from open loops,"
    " where requests fall due at times drawn in advance, at half the throughput of the slowest server; a response time"
    " counts from when its request was due, so a stall cannot hide. A slice during which other machines took too much"
    " CPU time is set aside. A ratio is the geometric mean over rounds of each round's median over its blocks, and its"
    " interval is Student's over rounds: one launch is one observation."
)
