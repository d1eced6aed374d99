"""One run over two hosts, tried out on one machine: `sudo python examples/two_hosts.py [GLOB ...]`.

Two network namespaces stand for the hosts. Host A has the relay and the controller of the run;
host B has an SSH server and nothing else of ours. pytest-xdist puts one worker on each, and both
talk to the relay over the link between them. Everything is gone afterwards.

Needs root, `ip` (iproute2), `ssh` and `sshd`; where they are missing it says so and exits with 77.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

A, B = f"nip-ap-a-{os.getpid()}", f"nip-ap-b-{os.getpid()}"
ADDRESS = {A: "10.177.0.1", B: "10.177.0.2"}
RELAY = f"ws://{ADDRESS[A]}:7175"
MISSING = 77


def missing() -> str:
    """What this machine lacks; empty where nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    lacking = [tool for tool in ("ip", "ssh", "sshd", "ssh-keygen") if shutil.which(tool) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    tried = subprocess.run(["ip", "netns", "add", A], capture_output=True, text=True)
    if tried.returncode:
        return f"no network namespace can be made: {tried.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", A], check=True)
    return ""


@contextlib.contextmanager
def two_hosts() -> Iterator[None]:
    """Two namespaces with a link between them."""
    link = (f"na{os.getpid()}", f"nb{os.getpid()}")
    for name in (A, B):
        _ip("netns", "add", name)
    try:
        _ip("link", "add", link[0], "netns", A, "type", "veth", "peer", link[1], "netns", B)
        for name, end in zip((A, B), link, strict=True):
            _ip("-n", name, "address", "add", f"{ADDRESS[name]}/24", "dev", end)
            for device in (end, "lo"):
                _ip("-n", name, "link", "set", device, "up")
        yield
    finally:
        for name in (A, B):
            _ip("netns", "del", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def running(host: str, *words: str, ready: str) -> Iterator[None]:
    """A program on a host, once it has printed a line that begins so."""
    process = subprocess.Popen(
        ["ip", "netns", "exec", host, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith(ready):
            raise SystemExit(f"{words[0]} did not start: {line}{process.stdout.read()}")
        yield
    finally:
        process.terminate()
        process.communicate()


def ssh_server(folder: Path) -> tuple[str, ...]:
    """The command of an SSH server with a key for root, and in `config` how to reach it."""
    for name in ("host", "user"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    (folder / "config").write_text(
        f"Host host-b\n  HostName {ADDRESS[B]}\n  User root\n  IdentityFile {folder}/user\n"
        "  IdentitiesOnly yes\n  StrictHostKeyChecking no\n"
        f"  UserKnownHostsFile {folder}/known\n  LogLevel ERROR\n"
    )
    (folder / "sshd").write_text(
        f"ListenAddress {ADDRESS[B]}\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nPermitRootLogin yes\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd locks its unprivileged half in
    return (str(shutil.which("sshd")), "-D", "-e", "-f", str(folder / "sshd"))


def run(folder: Path, only: list[str]) -> int:
    """pytest on host A with a worker on each host; prints how many checks each of them ran."""
    work = folder / "work"
    work.mkdir()
    words = [sys.executable, "-m", "pytest", "--nip-ap", f"--relay-url={RELAY}", "-v"]
    words += [f"--nip-ap-only={one}" for one in only]
    words += ["-p", "no:cacheprovider", f"--rootdir={work}", "--dist", "load"]
    words += ["--tx", "popen//id=host-a"]
    there = f"ssh_config={folder}/config//python={sys.executable}//chdir={folder}/there"
    words += ["--tx", f"ssh=host-b//id=host-b//{there}"]
    done = subprocess.run(
        ["ip", "netns", "exec", A, *words], cwd=work, capture_output=True, text=True
    )
    ran = Counter(re.findall(r"^\[(host-[ab])\]", done.stdout, re.MULTILINE))
    print("\n".join(done.stdout.splitlines()[-6:]), done.stderr, sep="\n")
    for host in ("host-a", "host-b"):
        print(f"{host} ran {ran[host]} check(s)")
    return done.returncode


def main() -> int:
    """The exit code of pytest; MISSING where this machine cannot do it."""
    lacking = missing()
    if lacking:
        print(f"skipped: {lacking}")
        return MISSING
    relay = (sys.executable, "-m", "nip_ap_relay", "--host", ADDRESS[A], "--stop-with-parent")
    with tempfile.TemporaryDirectory(prefix="two-hosts-") as folder, two_hosts():
        server = ssh_server(Path(folder))
        with (
            running(A, *relay, ready="listening on"),
            running(B, *server, ready="Server listening"),
        ):
            return run(Path(folder), sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
