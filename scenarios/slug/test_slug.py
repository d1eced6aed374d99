from nip_ap.scenario import *


@clause("AP-SLUG-04")
@each("length", (65, 128, 1024))
def test_a_slug_over_64_bytes_is_refused(owner, persona, slug, length):
    refused(owner, persona("a" * length), twin=persona(slug))
