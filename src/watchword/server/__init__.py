"""What runs the service: its folders, start-up, processes, signals, and the certificate that changes meanwhile.

The commands that start it, and those that ask it, are in `watchword.cli`.
"""
