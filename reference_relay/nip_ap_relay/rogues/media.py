"""Rogues of media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nip_ap.nostr import Event
from nip_ap_relay.media_rules import Upload
from nip_ap_relay.media_store import Blob, MediaStore
from nip_ap_relay.media_types import HTML, PNG, PROGRAM, SVG, XML, MediaType
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue


@rogue(
    "media-barely-described",
    turns_red="AP-MEDIA-01",
    because="It answers an upload with where it is, and not with what and since when.",
    remedy="Answer with url, sha256, size, type and uploaded.",
)
class MediaBarelyDescribed(Policy):
    def description_of(self, blob: Blob) -> Mapping[str, object]:
        described = super().description_of(blob)
        return {name: value for name, value in described.items() if name != "uploaded"}


@rogue(
    "media-of-any-kind-of-event",
    turns_red="AP-MEDIA-02",
    because="It takes any signed event for an authorization.",
    remedy="Check kind 24242, id and signature of the authorization.",
)
class MediaOfAnyKindOfEvent(Policy):
    def authorization_is_sound(self, event: Event) -> bool:
        return not event.problems


@rogue(
    "media-unsigned",
    turns_red="AP-MEDIA-02",
    because="It reads the authorization and does not verify its signature.",
    remedy="Verify id and signature of the authorization.",
)
class MediaUnsigned(Policy):
    def authorization_is_sound(self, event: Event) -> bool:
        return event.kind == 24242


@rogue(
    "media-verb-unchecked",
    turns_red="AP-MEDIA-02",
    because="It takes a leave to delete for one to upload.",
    remedy="Check that the `t` tag is `upload`.",
)
class MediaVerbUnchecked(Policy):
    def authorization_is_to_upload(self, event: Event) -> bool:
        return True


@rogue(
    "media-hash-unchecked",
    turns_red="AP-MEDIA-02",
    because="It does not compare the `x` tag, so that one authorization uploads anything.",
    remedy="Compare the `x` tags with the hash of the body.",
)
class MediaHashUnchecked(Policy):
    def authorization_names_the_hash(self, event: Event, sha256: str) -> bool:
        return True


@rogue(
    "media-never-expires",
    turns_red="AP-MEDIA-02",
    because="It does not look at the expiration.",
    remedy="Refuse an authorization without an expiration, or one that is past.",
)
class MediaNeverExpires(Policy):
    def authorization_has_not_expired(self, event: Event, now: int) -> bool:
        return True


@rogue(
    "media-of-any-age",
    turns_red="AP-MEDIA-02",
    because="It believes the expiration, which the client chose, and not the date.",
    remedy="Refuse an authorization from the future, or one that is old.",
)
class MediaOfAnyAge(Policy):
    def authorization_is_recent(self, event: Event, now: int) -> bool:
        return True


@rogue(
    "media-for-another-server",
    turns_red="AP-MEDIA-02",
    because="It takes an authorization that was made out to another server.",
    remedy="Compare the `server` tags with the own host.",
)
class MediaForAnotherServer(Policy):
    def authorization_is_for_here(self, event: Event, host: str) -> bool:
        return True


@rogue(
    "media-for-everybody",
    turns_red="AP-MEDIA-02",
    because="It wants an authorization and does not look into it.",
    remedy="Check kind, verb, hash, expiration and signature of the authorization.",
)
class MediaForEverybody(Policy):
    def upload_is_authorized(self, upload: Upload) -> bool:
        return True


@rogue(
    "media-body-unchecked",
    turns_red="AP-MEDIA-03",
    because="It believes the hash in the header and does not compute that of the body.",
    remedy="Hash the body as it comes, and refuse what does not match.",
)
class MediaBodyUnchecked(Policy):
    def body_has_the_hash(self, promised: str, computed: str) -> bool:
        return True


@rogue(
    "media-type-as-said",
    turns_red="AP-MEDIA-04",
    because="It takes the Content-Type of the request for what the bytes are.",
    remedy="Tell the type by the first bytes.",
)
class MediaTypeAsSaid(Policy):
    def type_of_upload(self, beginning: bytes, said: str) -> MediaType:
        return PNG if said == "image/png" else super().type_of_upload(beginning, said)


@rogue(
    "media-pictures-only",
    turns_red="AP-MEDIA-05",
    blinds="AP-MEDIA-06",
    because="It knows a few types of files, and documents are not among them.",
    remedy="Take any file that is neither a page nor a program.",
)
class MediaPicturesOnly(Policy):
    def takes_type(self, kind: MediaType) -> bool:
        return super().takes_type(kind) and kind.mime not in ("application/pdf", XML.mime)


@rogue(
    "media-files-inline",
    turns_red="AP-MEDIA-05 AP-MEDIA-06",
    because="It serves every file as something to look at.",
    remedy="Send `Content-Disposition: attachment` with what is neither a picture nor a video.",
)
class MediaFilesInline(Policy):
    def media_headers(self, blob: Blob) -> Mapping[str, str]:
        return {**super().media_headers(blob), "content-disposition": "inline"}


@rogue(
    "media-drawings-shown",
    turns_red="AP-MEDIA-06",
    because="It serves a drawing as such, whose script then runs in the relay's name.",
    remedy="Serve SVG as a download, with a type that no browser runs.",
)
class MediaDrawingsShown(Policy):
    def type_of_upload(self, beginning: bytes, said: str) -> MediaType:
        kind = super().type_of_upload(beginning, said)
        return replace(SVG, is_refused=False, is_inline=True) if kind == XML else kind


@rogue(
    "media-pages-taken",
    turns_red="AP-MEDIA-07",
    because="It takes a page for a file like any other.",
    remedy="Refuse HTML, XHTML and SVG with 415.",
)
class MediaPagesTaken(Policy):
    def takes_type(self, kind: MediaType) -> bool:
        return kind == HTML or super().takes_type(kind)


@rogue(
    "media-programs-taken",
    turns_red="AP-MEDIA-07",
    because="It hands programs from one user to the next.",
    remedy="Refuse executables and installers with 415.",
)
class MediaProgramsTaken(Policy):
    def takes_type(self, kind: MediaType) -> bool:
        return kind == PROGRAM or super().takes_type(kind)


@rogue(
    "media-sniffed",
    turns_red="AP-MEDIA-06 AP-MEDIA-08",
    because="It leaves it to the browser what a body is.",
    remedy="Send `X-Content-Type-Options: nosniff` and a Content-Security-Policy with media.",
)
class MediaSniffed(Policy):
    def media_headers(self, blob: Blob) -> Mapping[str, str]:
        left_out = ("x-content-type-options", "content-security-policy")
        headers = super().media_headers(blob)
        return {name: value for name, value in headers.items() if name not in left_out}


@rogue(
    "media-pictures-downloaded",
    turns_red="AP-MEDIA-08",
    because="It serves every blob as a download, pictures too.",
    remedy="Serve pictures and videos inline.",
)
class MediaPicturesDownloaded(Policy):
    def media_headers(self, blob: Blob) -> Mapping[str, str]:
        return {**super().media_headers(blob), "content-disposition": "attachment"}


@rogue(
    "media-without-head",
    turns_red="AP-MEDIA-09",
    because="Its route knows GET alone.",
    remedy="Answer HEAD with the headers of GET.",
)
class MediaWithoutHead(Policy):
    def answers_head(self) -> bool:
        return False


@rogue(
    "media-whole-for-a-part",
    turns_red="AP-MEDIA-10",
    because="It does not read the Range header.",
    remedy="Answer a range with 206 and that part.",
)
class MediaWholeForAPart(Policy):
    def serves_ranges(self) -> bool:
        return False


@rogue(
    "media-part-one-short",
    turns_red="AP-MEDIA-10",
    because="It takes the last byte of a range for the first that is not in it.",
    remedy="Include the last byte that a range names.",
)
class MediaPartOneShort(Policy):
    def end_of_range(self, last: int) -> int:
        return last


@rogue(
    "media-part-beyond-the-end",
    turns_red="AP-MEDIA-10",
    because="It answers a range beyond the end with an empty part.",
    remedy="Answer a range beyond the end with 416.",
)
class MediaPartBeyondTheEnd(Policy):
    def status_of_range_beyond(self) -> int:
        return 206


@rogue(
    "media-unknown-is-empty",
    turns_red="AP-MEDIA-02 AP-MEDIA-03 AP-MEDIA-07 AP-MEDIA-11 AP-MEDIA-13",
    because="It answers 200 for what it does not have.",
    remedy="Answer 404 for a blob that is not there.",
)
class MediaUnknownIsEmpty(Policy):
    def status_of_unknown_media(self) -> int:
        return 200


@rogue(
    "media-once-only",
    turns_red="AP-MEDIA-12",
    because="It refuses what it has already, and leaves the uploader without the address.",
    remedy="Answer the same bytes again as the first time.",
)
class MediaOnceOnly(Policy):
    def status_of_known_upload(self) -> int:
        return 409


@rogue(
    "media-of-any-size",
    turns_red="AP-MEDIA-13",
    because="It sets uploads no limit.",
    remedy="Refuse what is larger than its type may be with 413.",
)
class MediaOfAnySize(Policy):
    def upload_fits(self, size: int, kind: MediaType) -> bool:
        return True


@rogue(
    "media-broken-pictures",
    turns_red="AP-MEDIA-14",
    because="It looks at the first bytes of a picture and not whether the rest is there.",
    remedy="Refuse a picture that cannot be read to its end with 400.",
)
class MediaBrokenPictures(Policy):
    def takes_broken_pictures(self) -> bool:
        return True


@rogue(
    "imeta-of-any-form",
    turns_red="AP-MEDIA-15",
    because="It looks for `x` in the tag and leaves the rest to clients.",
    remedy="Check the keys of an imeta tag and the form of their values.",
)
class ImetaOfAnyForm(Policy):
    def fault_of_imeta(self, parts: tuple[str, ...]) -> str:
        keys = {part.partition(" ")[0] for part in parts}
        return "" if {"url", "m", "x", "size"} <= keys else super().fault_of_imeta(parts)


@rogue(
    "imeta-from-elsewhere",
    turns_red="AP-MEDIA-15",
    because="It lets a tag point to another server, which then learns who reads the event.",
    remedy="Refuse an imeta tag whose url is not one of the relay's own media.",
)
class ImetaFromElsewhere(Policy):
    def is_local(self, url: str, blob: Blob) -> bool:
        return url.endswith(blob.name)


@rogue(
    "imeta-of-nothing",
    turns_red="AP-MEDIA-16",
    because="It checks the form of a tag and not whether the media is there.",
    remedy="Compare an imeta tag with the blob that it names, and refuse one that is not stored.",
)
class ImetaOfNothing(Policy):
    def misfit_of_imeta(self, found: Mapping[str, str], media: MediaStore) -> str:
        return "" if media.get(found["x"]) is None else super().misfit_of_imeta(found, media)


@rogue(
    "imeta-as-claimed",
    turns_red="AP-MEDIA-16",
    because="It believes type and size as the tag claims them.",
    remedy="Compare type and size of an imeta tag with the stored blob.",
)
class ImetaAsClaimed(Policy):
    def misfit_of_imeta(self, found: Mapping[str, str], media: MediaStore) -> str:
        blob = media.get(found["x"])
        known = {} if blob is None else {"m": blob.mime, "size": str(blob.size)}
        return super().misfit_of_imeta({**found, **known}, media)
