"""How fast is it? Load on a real server process, beside the limits of the same machine in the same run.

Nothing here is a timed test: figures are for reading, and ratios within one run are what counts.
"""
