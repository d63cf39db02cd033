"""A real TLS server on a free loopback port, and real programs in other languages that call it."""

import contextlib
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

# Every name is this machine's own, so that a server can pose as anybody.
NODE_PROGRAM = """
const loopback = {address: '127.0.0.1', family: 4};
const lookup = (_, {all}, done) => all ? done(null, [loopback]) : done(null, loopback.address, loopback.family);
require('https').get(process.argv[1], {lookup}, reply => {
  reply.setEncoding('utf8'); reply.on('data', text => process.stdout.write(text));
}).on('error', error => { console.error(error.message); process.exit(1); });
"""

JAVA_PROGRAM = """
import java.net.URL;
public class Get {
    public static void main(String[] arguments) throws Exception {
        try (var body = new URL(arguments[0]).openStream()) { System.out.print(new String(body.readAllBytes())); }
    }
}
"""


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that refuses our certificate hangs up in the middle of the handshake, as it should.
        pass


@contextlib.contextmanager
def tls_server(certificate: Path, key: Path) -> Iterator[int]:
    """Answers every GET with `hello`; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = _Server(("127.0.0.1", 0), _Hello)
    # The handshake belongs to the connection's own thread; on accept() a refusal would end the server.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def handshake(port: int, ca: Path, name: str) -> None:
    """Connect to the loopback port as if it were `name`, trusting the CA alone, and as strictly as OpenSSL can."""
    context = ssl.create_default_context(cafile=str(ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        secured.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert secured.recv(12) == b"HTTP/1.0 200"


def run_node(url: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return _run(["node", "-e", NODE_PROGRAM, url], environment)


def run_java(url: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    program = folder / "Get.java"
    program.write_text(JAVA_PROGRAM)
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 {urlsplit(url).hostname}\n")
    return _run(["java", "-XX:TieredStopAtLevel=1", f"-Djdk.net.hosts.file={hosts}", str(program), url], environment)


def without_trust(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without whatever this machine's own set-up says about trust."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")
    java = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
    return {name: value for name, value in environment.items() if name not in (*names, *java)}


def _run(command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
