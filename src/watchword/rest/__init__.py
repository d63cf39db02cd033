"""What every operation goes through: reading a request, authenticating its caller, and answering or refusing it."""
