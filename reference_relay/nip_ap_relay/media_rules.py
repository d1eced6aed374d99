"""The rules of media: who may upload what (Blossom), how it is served, `imeta` tags (NIP-92)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from nip_ap.nostr import Event
from nip_ap_relay.media_store import Blob, MediaStore
from nip_ap_relay.media_types import MediaType, type_of
from nip_ap_relay.recording import sent
from nip_ap_relay.rehearsable import answers_show, only_a_run_shows
from nip_ap_relay.submission import Rule, Submission

AUTHORIZATION = 24242
_UPLOADS, _DOWNLOADS = sent("PUT /media"), sent("GET /media", "HEAD /media")
_OLDEST = 3600
_AHEAD = 60

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_REQUIRED = ("url", "m", "x", "size")
_KEYS = frozenset(
    (
        *(*_REQUIRED, "dim", "blurhash", "alt", "thumb", "fallback"),
        *("duration", "bitrate", "image", "filename"),
    )
)


@dataclass(frozen=True)
class Upload:
    """A request to upload: its authorization, what it says of the body, the relay's own host."""

    event: Event
    sha256: str
    host: str
    now: int


class MediaRules:
    """The rules of media, each a method that a rogue can override."""

    # -- who may upload -----------------------------------------------------------

    def upload_is_authorized(self, upload: Upload) -> bool:
        """Every failure is told alike, so one answer is all there is."""
        event = upload.event
        return (
            self.authorization_is_sound(event)
            and self.authorization_is_to_upload(event)
            and self.authorization_names_the_hash(event, upload.sha256)
            and self.authorization_has_not_expired(event, upload.now)
            and self.authorization_is_recent(event, upload.now)
            and self.authorization_is_for_here(event, upload.host)
            and bool(event.content)
        )

    @only_a_run_shows(where=_UPLOADS)
    def authorization_is_sound(self, event: Event) -> bool:
        return event.kind == AUTHORIZATION and not event.problems

    @only_a_run_shows(where=_UPLOADS)
    def authorization_is_to_upload(self, event: Event) -> bool:
        return event.tag_values("t") == ("upload",)

    @only_a_run_shows(where=_UPLOADS)
    def authorization_names_the_hash(self, event: Event, sha256: str) -> bool:
        return sha256 in event.tag_values("x")

    @only_a_run_shows(where=_UPLOADS)
    def authorization_has_not_expired(self, event: Event, now: int) -> bool:
        times = event.tag_values("expiration")
        return len(times) == 1 and times[0].isascii() and times[0].isdigit() and int(times[0]) > now

    @only_a_run_shows(where=_UPLOADS)
    def authorization_is_recent(self, event: Event, now: int) -> bool:
        return now - _OLDEST <= event.created_at <= now + _AHEAD

    @only_a_run_shows(where=_UPLOADS)
    def authorization_is_for_here(self, event: Event, host: str) -> bool:
        servers = event.tag_values("server")
        return not servers or host in servers

    @only_a_run_shows(where=_UPLOADS)
    def body_has_the_hash(self, promised: str, computed: str) -> bool:
        return promised == computed

    # -- what may be uploaded -----------------------------------------------------

    @only_a_run_shows(where=_UPLOADS)
    def type_of_upload(self, beginning: bytes, said: str) -> MediaType:
        """By its first bytes; what the request says of its type is not looked at."""
        return type_of(beginning)

    @only_a_run_shows(where=_UPLOADS)
    def takes_type(self, kind: MediaType) -> bool:
        """Pages and programs are not taken."""
        return not kind.is_refused

    @only_a_run_shows(where=_UPLOADS)
    def upload_fits(self, size: int, kind: MediaType) -> bool:
        return size <= kind.limit

    @only_a_run_shows(where=_UPLOADS)
    def takes_broken_pictures(self) -> bool:
        return False

    @only_a_run_shows(where=_UPLOADS)
    def status_of_known_upload(self) -> int:
        """The same bytes again are answered as the first time."""
        return 200

    @only_a_run_shows(where=_UPLOADS)
    def description_of(self, blob: Blob) -> Mapping[str, object]:
        """What an upload is answered with: Blossom's descriptor."""
        return blob.descriptor()

    # -- how it is served -----------------------------------------------------------

    @only_a_run_shows(where=_DOWNLOADS)
    def media_headers(self, blob: Blob) -> Mapping[str, str]:
        """Shown in a page only where that is safe, and never taken for anything else."""
        return {
            "content-type": blob.mime,
            "content-disposition": "inline" if blob.is_inline else "attachment",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'",
            "accept-ranges": "bytes",
        }

    @only_a_run_shows(where=_DOWNLOADS)
    def serves_ranges(self) -> bool:
        return True

    @only_a_run_shows(where=_DOWNLOADS)
    def end_of_range(self, last: int) -> int:
        """Where a range ends, as an index: the last byte of it is part of it."""
        return last + 1

    @only_a_run_shows(where=_DOWNLOADS)
    def status_of_range_beyond(self) -> int:
        return 416

    @only_a_run_shows(where=_DOWNLOADS)
    def status_of_unknown_media(self) -> int:
        return 404

    @only_a_run_shows(where=_DOWNLOADS)
    def answers_head(self) -> bool:
        return True

    # -- imeta tags -----------------------------------------------------------------

    def media_rules(self) -> tuple[Rule, ...]:
        return (self.imeta_tags_are_sound, self.imeta_tags_fit_what_is_stored)

    def imeta_tags_are_sound(self, submission: Submission) -> str | None:
        for tag in submission.event.tags:
            if tag[0] == "imeta" and (fault := self.fault_of_imeta(tag[1:])):
                return f"invalid: imeta {fault}"
        return None

    @answers_show
    def fault_of_imeta(self, parts: tuple[str, ...]) -> str:
        """What is wrong with the form of a tag; empty where nothing is."""
        pairs = [part.partition(" ")[::2] for part in parts]
        keys = [key for key, _ in pairs]
        found = dict(pairs)
        if unknown := [key for key in keys if key not in _KEYS]:
            return f"has an unknown key: {unknown[0][:40]}"
        if len(set(keys)) < len(keys):
            return "has a key twice"
        if missing := [key for key in _REQUIRED if not found.get(key)]:
            return f"lacks {missing[0]}"
        return self.fault_of_imeta_values(found)

    @answers_show
    def fault_of_imeta_values(self, found: Mapping[str, str]) -> str:
        if not _SHA256.match(found["x"]):
            return "x is not 64 lower-case hex digits"
        size = found["size"]
        if not (size.isascii() and size.isdigit() and int(size) > 0):
            return "size is not a positive number"
        if "duration" in found and not _is_duration(found["duration"]):
            return "duration is not a positive number"
        name = found.get("filename", "file")
        if not 0 < len(name) <= 255 or any(one in "/\\" or one < " " for one in name):
            return "filename is not a name"
        if not _path(found["url"]).endswith((found["x"], f"{found['x']}.{_ending(found['url'])}")):
            return "url is not the path of its x"
        if "thumb" in found and not _path(found["thumb"]).endswith(".thumb.jpg"):
            return "thumb is not a .thumb.jpg"
        return ""

    def imeta_tags_fit_what_is_stored(self, submission: Submission) -> str | None:
        for tag in submission.event.tags:
            if tag[0] != "imeta":
                continue
            found = dict(part.partition(" ")[::2] for part in tag[1:])
            if fault := self.misfit_of_imeta(found, submission.store.media):
                return f"invalid: imeta {fault}"
        return None

    @answers_show
    def misfit_of_imeta(self, found: Mapping[str, str], media: MediaStore) -> str:
        """In what a tag differs from the blob that it names; empty where in nothing."""
        blob = media.get(found["x"])
        if blob is None:
            return "names media that is not stored here"
        if not self.is_local(found["url"], blob):
            return "url must be a local /media/ path"
        if found["m"] != blob.mime:
            return f"m is {found['m'][:40]}, and it is {blob.mime}"
        if int(found["size"]) != blob.size:
            return f"size is {found['size']}, and it has {blob.size} bytes"
        return ""

    @answers_show
    def is_local(self, url: str, blob: Blob) -> bool:
        """The URL that the upload was answered with, or its path alone."""
        return url in (blob.url, urlsplit(blob.url).path)


def _is_duration(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) is not None and float(text) > 0


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _ending(url: str) -> str:
    return _path(url).rpartition(".")[2]
