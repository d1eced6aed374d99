"""An image from this machine's own Python: there need be no registry to pull one from."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
BASE = Path(sys.base_prefix)
LIBRARY = BASE / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
PYTHON = BASE / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
REPOSITORY = "nip-ap-test"
PACKAGES = "/packages"
SOURCE = "/source"
SOURCE_ROOTS = ("conformance", "reference_relay", "reference_client")
TOOLS = ("/bin/sh", "/bin/sleep", "/bin/cat", "/bin/false", "/bin/rm")
_LEFT_OUT = re.compile(r"__pycache__|/test/|/tests/|/idlelib/|/site-packages/|/config-3\.|\.a\Z")


def root_file_system(*distributions: str, with_suite: bool) -> bytes:
    """A tar archive of Python, these distributions with what they need, and a shell."""
    found = [*_standard_library(), *_installed(distributions)]
    found += _suite() if with_suite else []
    programs = [PYTHON, *map(Path, TOOLS)]
    libraries = _libraries([*programs, *(path for path, _ in found if path.suffix == ".so")])
    return _packed([*found, *((path, str(path)) for path in (*programs, *libraries))])


def _suite() -> list[tuple[Path, str]]:
    """The suite itself, as a checkout has it."""
    names = (
        *SOURCE_ROOTS,
        "scenarios",
        "fixtures",
        "reports/report.schema.json",
    )
    return [
        (path, f"{SOURCE}/{path.relative_to(ROOT)}")
        for name in names
        for path in _files(ROOT / name)
        if not {"__pycache__", "published"} & set(path.parts)
    ]


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    else:
        yield from (path for path in place.rglob("*") if path.is_file())


def _standard_library() -> list[tuple[Path, str]]:
    return [
        (path, str(path))
        for path in _files(LIBRARY)
        if not _LEFT_OUT.search(str(path.relative_to(BASE)) + ("/" if path.is_dir() else ""))
    ]


def _installed(names: Iterable[str]) -> list[tuple[Path, str]]:
    """The files of distributions and of all that they require, but for the suite itself."""
    left, seen, found = list(names), set(), []
    while left:
        name = re.sub(r"[-_.]+", "-", left.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            one = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # required on other systems only
        for text in one.requires or ():
            required = Requirement(text)
            if required.marker is None or required.marker.evaluate({"extra": ""}):
                left.append(required.name)
        if name != "nip-ap-conformance":
            found += [
                (Path(str(one.locate_file(file))), f"{PACKAGES}/{file}")
                for file in one.files or ()
                if ".." not in file.parts and "__pycache__" not in file.parts
            ]
    return [(path, at) for path, at in found if path.is_file()]


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    """What these are linked with, and what that is linked with."""
    listed = subprocess.run(
        ["ldd", *map(str, binaries)], capture_output=True, text=True, check=False
    ).stdout
    return {Path(one) for one in re.findall(r"(?:=> |^\s+)(/\S+)", listed, re.MULTILINE)}


def _packed(files: Iterable[tuple[Path, str]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("tmp", "data", "root", "etc", "usr/local/bin", "usr/bin"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(folder)
        for name in ("python", "python3"):
            link = tarfile.TarInfo(f"usr/local/bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, str(PYTHON)
            archive.addfile(link)
        for at, path in {at: path for path, at in files}.items():
            archive.add(path.resolve(), at, recursive=False)
    return buffer.getvalue()
