"""python3 server.py PORT: answers what e2e/clients/steps.ts asks, with http.server."""
import hashlib
import http.server
import socket
import sys
import time

LARGEST = bytes(97 + place % 26 for place in range(26)) * (2**25 // 26 + 1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Heads and bodies are written apart, and nobody should wait for an acknowledgement between them.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def whole(self, content, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def in_pieces(self, size, piece, pause):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, size, piece):
            part = LARGEST[at : min(size, at + piece)]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            time.sleep(pause)
        self.wfile.write(b"0\r\n\r\n")

    def body(self):
        """The request's body; http.server leaves chunks to its user."""
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def answer(self):
        body = self.body()
        what, _, value = self.path[1:].partition("/")
        if what == "bytes":
            self.whole(LARGEST[: int(value)])
        elif what == "digest":
            self.whole(b"%d %s\n" % (len(body), hashlib.sha256(body).hexdigest().encode()))
        elif what == "chunked":
            self.in_pieces(int(value), 1000, 0)
        elif what == "drip":
            self.in_pieces(int(value), 1, 0.03)
        elif what == "status":
            self.whole(b"status 500\n" if value == "500" else b"", int(value))
        elif what == "redirect-post":
            self.whole(b"", 307, Location="/digest")
        elif what == "redirect":
            self.whole(b"", 302, Location="/bytes/128" if value == "1" else f"/redirect/{int(value) - 1}")
        elif what == "target":
            self.whole(self.path.encode())
        elif what == "header":
            self.whole(self.headers["x-test"].encode())
        elif what == "slow":
            time.sleep(int(value) / 1000)
            self.whole(b"slow\n")
        else:
            self.whole(b"", 404)

    do_GET = do_HEAD = do_POST = answer


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 128

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


with Server(("::", int(sys.argv[1])), Handler) as server:
    server.serve_forever()
