"""Azure's REST contract as data: operations, api-versions, bodies, errors, headers and signatures.

No rule and no I/O lives here.
"""
