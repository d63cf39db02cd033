"""What is told of a request that was answered: a log line, counts, a span; and the text that Prometheus reads.

Whatever it is told are plain facts, so that it knows neither operations nor callers. What counts lives in
`watchword.measurements`; what asks the database for levels, in `watchword.rest.metrics`.
"""
