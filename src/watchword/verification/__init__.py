"""What verifiers ask: the key set with which they check tokens themselves."""
