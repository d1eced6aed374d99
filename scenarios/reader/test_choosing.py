"""READER: which version is the head, what a deletion hides, and what a content means."""

from nip_ap.clients.scripts import scripts_of
from nip_ap.scenario import clause, each


@clause("AP-WRITER-11")
@each("script", scripts_of("AP-WRITER-11"))
def test_the_newest_version_is_shown_whatever_the_order(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-05")
@each("script", scripts_of("AP-READER-05"))
def test_a_tie_goes_to_the_lowest_id(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-14")
@each("script", scripts_of("AP-READER-14"))
def test_a_deletion_by_the_owner_hides_a_persona(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-15")
@each("script", scripts_of("AP-READER-15"))
def test_a_deletion_by_anybody_else_changes_nothing(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-16")
def test_a_persona_that_is_written_after_its_deletion_is_shown(reader):
    reader.reads("written-after-deletion").shows_what_it_should()


@clause("AP-WRITER-12")
@each("script", scripts_of("AP-WRITER-12"))
def test_a_content_that_is_no_persona_is_dropped_alone(reader, script):
    reader.reads(script).shows_what_it_should()


@clause("AP-READER-11")
def test_a_head_that_cannot_be_read_does_not_fall_back(reader):
    reader.reads("undecodable-head").shows_what_it_should()


@clause("AP-WRITER-22")
def test_what_is_dropped_is_told(reader):
    reader.reads("dropped").tells_what_it_dropped()


@clause("AP-WRITER-13")
def test_unknown_fields_are_ignored(reader):
    reader.reads("unknown-fields").shows_what_it_should()


@clause("AP-WRITER-18")
def test_reserved_fields_are_tolerated(reader):
    reader.reads("reserved-fields").shows_what_it_should()


@clause("AP-WRITER-14")
def test_a_missing_or_null_prompt_is_none(reader):
    reader.reads("no-prompt").shows_what_it_should()


@clause("AP-READER-12")
def test_a_field_of_the_wrong_type_does_not_take_the_others_along(reader):
    reader.reads("numbers").shows_what_it_should()


@clause("AP-READER-13")
def test_env_vars_in_content_are_never_shown(reader):
    reader.reads("env-vars").shows_what_it_should()
