"""HTTP/1.1 on sockets: connections, requests, answers, WebSockets, TLS, a server that stops without losing a request.

It is a library that knows no contract: what a refusal says is handed in.
"""
