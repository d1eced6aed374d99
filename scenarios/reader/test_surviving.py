"""READER: what a reader survives: relays that page, refuse, pause, cut, repeat, and overdo it."""

from nip_ap.clients.scripts import scripts_of
from nip_ap.scenario import clause, each

BRIEF = 6.0
"""Seconds for a reader that has to give up in time."""

LONG = 60.0
"""Seconds for ten thousand personas."""


@clause("AP-READER-17")
@each("script", scripts_of("AP-READER-17"))
def test_lists_are_read_to_their_end(reader, script):
    if script == "many":
        reader.reads_many(script, budget=LONG).shows_what_it_should()
    else:
        reader.reads(script).shows_what_it_should()


@clause("AP-READER-18")
def test_a_request_that_is_closed_is_made_again(reader):
    reader.reads("closed-once").shows_what_it_should()


@clause("AP-READER-19")
def test_a_refused_reading_does_not_look_like_an_empty_list(reader):
    reader.reads("closed").does_not_pass_for_whole()


@clause("AP-READER-20")
def test_a_notice_changes_nothing(reader):
    reader.reads("notice").shows_what_it_should()


@clause("AP-READER-21")
def test_an_answer_is_waited_for_until_its_end(reader):
    reader.reads("late").shows_what_it_should()


@clause("AP-READER-22")
def test_an_answer_without_an_end_is_not_waited_for_without_end(reader):
    reader.reads("endless", budget=BRIEF).shows_all_that_came()


@clause("AP-READER-23")
def test_a_connection_that_is_cut_is_not_the_end_of_a_list(reader):
    reader.reads("cut").shows_what_it_should(may_be_incomplete=True)


@clause("AP-READER-24")
def test_an_event_that_comes_twice_is_shown_once(reader):
    reader.reads("twice").shows_what_it_should()


@clause("AP-READER-25")
def test_a_relay_that_asks_who_reads_is_told(reader):
    reader.reads("auth").shows_what_it_should()


@clause("AP-READER-28")
def test_a_name_drives_no_terminal(reader):
    reading = reader.reads("control-characters")
    reading.shows_what_it_should()
    reading.drives_no_terminal()


@clause("AP-READER-29")
def test_a_prompt_of_a_megabyte_does_not_take_the_others_along(reader):
    reader.reads("huge-prompt").shows_what_it_should()


@clause("AP-READER-30")
def test_a_number_that_fits_nowhere_does_not_take_the_others_along(reader):
    reader.reads("huge-numbers").shows_what_it_should()
