"""What is no longer valid: the five kinds of revocation, their cut-offs, and the ordered feed of them."""
