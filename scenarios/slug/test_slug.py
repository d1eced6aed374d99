"""SLUG: the grammar of the `d` tag, ^[a-z0-9][a-z0-9_-]{0,63}$ (NIP-AP, "Slugs")."""

from nip_ap.scenario import clause, each, refused


@clause("AP-SLUG-04")
@each("length", (65, 128, 1024))
def test_a_slug_over_64_bytes_is_refused(owner, persona, slug, length):
    refused(owner, persona("a" * length), twin=persona(slug))
