"""A server that lists keys as AWS documents it, among them keys that SeaweedFS would rewrite on arrival."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote_plus, urlsplit
from xml.sax.saxutils import escape

_OBJECT = "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size>"


def _versions(key, newest):
    yield f"<Version><Key>{key}</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest>{newest}</Version>"
    yield f"<Version><Key>{key}</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest>{newest}</Version>"
    yield (
        f"<DeleteMarker><Key>{key}.gone</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></DeleteMarker>"
    )


class _Handler(BaseHTTPRequestHandler):
    keys: tuple[str, ...] = ()
    spoil = staticmethod(lambda body: body)

    def do_GET(self):
        asked = {
            name: values[0] for name, values in parse_qs(urlsplit(self.path).query, keep_blank_values=True).items()
        }
        body = self.spoil(self._page(asked)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _page(self, asked):
        assert asked["encoding-type"] == "url"
        versions = "versions" in asked
        entries = self._entries(asked.get("prefix", ""), asked.get("delimiter"))
        start = int(asked.get("continuation-token") or (asked.get("key-marker") or "m0")[1:] or 0)
        end = start + int(asked["max-keys"])
        head = "<EncodingType>url</EncodingType>" + f"<IsTruncated>{str(end < len(entries)).lower()}</IsTruncated>"
        if end < len(entries):
            head += f"<NextKeyMarker>m{end}</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>"
            head += f"<NextContinuationToken>{end}</NextContinuationToken>"
        body = "".join(self._shown(entry, versions) for entry in entries[start:end])
        name = "ListVersionsResult" if versions else "ListBucketResult"
        return f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{head}{body}</{name}>'

    def _entries(self, prefix, delimiter):
        """Keys and common prefixes, in no order that could be relied on."""
        found = {}
        for key in self.keys:
            if key.startswith(prefix):
                name, slash, _ = key[len(prefix) :].partition(delimiter or "\0never")
                found[(prefix + name + slash, bool(slash))] = None
        return list(found)

    def _shown(self, entry, versions):
        name, is_prefix = entry
        shown = escape(quote_plus(name, safe="/"))
        if is_prefix:
            return f"<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>"
        about = _OBJECT.format(etag=f"e{len(name)}", size=len(name))
        if versions:
            return "".join(_versions(shown, about))
        return f"<Contents><Key>{shown}</Key>{about}<StorageClass>STANDARD</StorageClass></Contents>"

    def log_message(self, *given):
        pass


@contextmanager
def listing_server(keys, spoil=lambda body: body):
    """Yield the address of a server whose buckets all hold the keys; `spoil` changes what it answers."""
    handler = type("Handler", (_Handler,), {"keys": tuple(keys), "spoil": staticmethod(spoil)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
