"""An authority of our own, and certificates it signs: made with openssl, good for an hour's tests."""

import dataclasses
import pathlib
import subprocess

from .process import HOST


@dataclasses.dataclass
class Authority:
    """Files in PEM: who may sign, what a server shows (`server`: key and certificate in one file), what a client shows."""

    ca: pathlib.Path
    server: pathlib.Path
    client_certificate: pathlib.Path
    client_key: pathlib.Path


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)


def authority(folder, server_names=(f"IP:{HOST}", "DNS:localhost")):
    """Makes all of it in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=conformance authority", "-addext", "basicConstraints=critical,CA:TRUE")
    for name, extensions in (("server", f"subjectAltName={','.join(server_names)}"), ("client", "extendedKeyUsage=clientAuth")):
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(extensions)
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-out", f"{name}.crt", "-extfile", f"{name}.ext")
    both = folder / "server.pem"
    both.write_text((folder / "server.key").read_text() + (folder / "server.crt").read_text())
    return Authority(folder / "ca.pem", both, folder / "client.crt", folder / "client.key")
