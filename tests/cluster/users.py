"""Who may ask the API server: a token file and a kubeconfig for each user."""

import base64
import json
import secrets
import subprocess
from pathlib import Path

ADMIN = "admin"
OPERATOR = "operator"
"""A user without any right; a test gives it the rights that the chart would."""

INSTALLED_IN = "kubetune-system"
"""The namespace into which tests install the chart."""

PEOPLE = ("alice", "bob")
"""Users without any right, for what a person may and may not do."""

MANAGER = "system:kube-controller-manager"
SCHEDULER = "system:kube-scheduler"
KWOK = "kwok"
PROMETHEUS = "prometheus"


def node_user(node: str) -> str:
    """The user that a kubelet must be."""
    return f"system:node:{node}"


def write_tokens(path: Path, node: str) -> None:
    """Writes the API server's token file with a fresh token for each user."""
    groups = {ADMIN: "system:masters", KWOK: "system:masters", node_user(node): "system:nodes"}
    users = (ADMIN, OPERATOR, *PEOPLE, MANAGER, SCHEDULER, KWOK, PROMETHEUS, node_user(node))
    lines = [
        f'{secrets.token_urlsafe(24)},{user},{user},"{groups.get(user, "")}"' for user in users
    ]
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")


def write_keys(folder: Path) -> None:
    """Makes the key of service accounts, and the certificate that a kubelet trusts."""
    private = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]
    for name in ("accounts", "kubelet-client"):
        key = [*private, "-out", str(folder / f"{name}.key")]
        subprocess.run(key, check=True, capture_output=True)
    subject = "/O=system:masters/CN=kube-apiserver-kubelet-client"
    sign = ["openssl", "req", "-x509", "-days", "365", "-subj", subject]
    pair = str(folder / "kubelet-client")
    files = ["-key", f"{pair}.key", "-out", f"{pair}.crt"]
    subprocess.run([*sign, *files], check=True, capture_output=True)


def token_of(path: Path, user: str) -> str:
    """A user's token.

    Raises:
        KeyError: the token file has no such user.
    """
    rows = (line.split(",") for line in path.read_text().splitlines())
    return {row[1]: row[0] for row in rows}[user]


def write_kubeconfig(path: Path, *, url: str, authority: bytes, user: str, token: str) -> None:
    """Writes a kubeconfig; JSON is YAML."""
    cluster = {
        "server": url,
        "certificate-authority-data": base64.b64encode(authority).decode(),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubetune-tests", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [
            {
                "name": "kubetune-tests",
                "context": {"cluster": "kubetune-tests", "user": user, "namespace": "default"},
            }
        ],
        "current-context": "kubetune-tests",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=1))
