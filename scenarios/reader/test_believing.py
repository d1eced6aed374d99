"""READER: what a reader believes of what a relay serves, and whose it takes it to be.

Each script of fixtures/reader/ says what is served and what has to be made of it.
"""

from nip_ap.clients.scripts import scripts_of
from nip_ap.scenario import clause, each


@clause("AP-READER-01")
def test_a_persona_is_shown_as_it_was_published(bare_reader):
    bare_reader.reads("plain").shows_what_it_should()


@clause("AP-READER-02")
@each("script", scripts_of("AP-READER-02"))
def test_an_event_whose_id_is_not_its_hash_is_not_shown(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-03")
@each("script", scripts_of("AP-READER-03"))
def test_an_event_whose_signature_does_not_hold_is_not_shown(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-04")
@each("script", scripts_of("AP-READER-04"))
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
@each("script", scripts_of("AP-READER-09"))
def test_an_event_without_exactly_one_d_tag_is_dropped(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-10")
@each("script", scripts_of("AP-READER-10"))
def test_an_event_with_a_slug_outside_the_grammar_is_dropped(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-26")
def test_another_s_personas_are_shown_where_they_are_shared(reader):
    reader.reads("catalog-shared").shows_what_it_should()


@clause("AP-READER-27")
@each("script", scripts_of("AP-READER-27"))
def test_another_s_command_is_taken_where_it_is_portable(reader, script):
    reader.reads(script).shows_what_it_should()
