"""Who is connected, and what each has heard: the handshake, sockets, and the fan-out of what the journal tells.

What an entry of the journal means, and who takes part where, is for whoever hands it `Narrator` to say.
"""
