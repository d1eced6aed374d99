"""READER: what a reader believes of what a relay serves, and whose it takes it to be.

Each script of fixtures/reader/ says what is served and what has to be made of it.
"""

from nip_ap.scenario import clause, each


@clause("AP-READER-01")
def test_a_persona_is_shown_as_it_was_published(bare_reader):
    bare_reader.reads("plain").shows_what_it_should()


@clause("AP-READER-02")
@each("script", ["forged-content", "forged-id"])
def test_an_event_whose_id_is_not_its_hash_is_not_shown(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-03")
@each("script", ["forged-signature", "forged-signature-by-another"])
def test_an_event_whose_signature_does_not_hold_is_not_shown(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-04")
@each("script", ["forged-newer", "forged-twin"])
def test_a_forged_event_hides_no_genuine_one(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-06")
def test_events_of_other_authors_are_dropped(reader):
    reader.reads("stranger").shows_what_it_should()


@clause("AP-WRITER-15")
def test_a_reader_names_the_author_whenever_it_asks(reader):
    reader.reads("control").named_the_author()


@clause("AP-READER-31")
def test_a_reader_names_the_kinds_whenever_it_asks(reader):
    reader.reads("control").named_the_kind()


@clause("AP-READER-07")
def test_events_of_other_kinds_are_dropped(reader):
    reader.reads("other-kind").shows_what_it_should()


@clause("AP-READER-08")
def test_other_slugs_than_the_one_asked_for_are_dropped(reader):
    reader.reads("other-slug").shows_what_it_should()


@clause("AP-READER-09")
@each("script", ["no-slug", "two-slugs"])
def test_an_event_without_exactly_one_d_tag_is_dropped(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-10")
@each("slug", ["upper", "dash", "path", "long", "empty", "newline"])
def test_an_event_with_a_slug_outside_the_grammar_is_dropped(reader, slug):
    reader.reads(f"slug-{slug}").shows_what_it_should()


@clause("AP-READER-26")
def test_another_s_personas_are_shown_where_they_are_shared(reader):
    reader.reads("catalog-shared").shows_what_it_should()


@clause("AP-READER-27")
@each("script", ["catalog-command", "own-command"])
def test_another_s_command_is_taken_where_it_is_portable(reader, script):
    reader.reads(script).shows_what_it_should()
