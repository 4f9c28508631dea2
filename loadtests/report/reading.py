"""The paragraphs that explain a report to a first-time reader."""

HOW_TO_READ = (
    "Every ratio is a / b, the first server over the second: 0.50 in throughput means half as many requests per second,"
    " 2.00 in CPU means twice the cost. The range next to it is the plain 95 % interval. A server is better where the"
    " interval lies beyond the margin, slightly better where it leaves out 1 but not the margin; the two are equivalent"
    " where it lies within the margin. Otherwise they are about equal, if the interval reaches no further than three"
    " margins, or the run is too noisy to say. One family of verdicts was chosen beforehand, throughput and CPU of the"
    " pair that opens the report: wider intervals decide these, so that all of them hold together (Holm), and may leave"
    " a verdict open though the interval that is shown leaves out 1. All else is exploratory. A figure that is struck"
    " out failed a gate: it is shown, but proves nothing."
)

METHOD = (
    "In every round all servers are started as fresh processes and run at the same time. They are loaded in turn, in"
    " short slices of a fixed number of requests, the same ones in the same order for all; a block holds one slice of"
    " each, in random order (drawn from the seed), so that a disturbance of the machine affects them alike. Throughput"
    " and CPU come from closed loops, where a fixed number of users send the next request as soon as the last is"
    " answered. A cost has two parts: the cost without full garbage collections, which servers report themselves, and"
    " the time of these pauses over all requests. The ratio of the first parts is the geometric mean over rounds of"
    " each round's median over its blocks; the second part is a ratio of totals, since pauses are rare. Intervals are"
    " Student's over rounds: one launch is one observation. Latencies come from open loops, where requests fall due at"
    " times drawn in advance, at a share of the slowest server's throughput, the same for all; a response time counts"
    " from when its request was due, so a stall cannot hide. Percentiles are those of all requests of all rounds; their"
    " intervals come from a bootstrap that draws whole rounds. The folder histograms/ holds all times, in"
    " HdrHistogram's format. A slice during which other machines took too much CPU time is set aside."
)
