"""Every fault that slabtui must survive, what it then does, and the tests of it; runs them and reports by fault."""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TESTS = Path("tests")


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes:
        name: what goes wrong.
        answer: what slabtui does.
        tests: that check this, as FILE::FUNCTION.
    """

    name: str
    answer: str
    tests: tuple[str, ...]


def _in(file: str, *functions: str) -> tuple[str, ...]:
    return tuple(f"{_TESTS / file}::test_{function}" for function in functions)


FAULTS = (
    Fault(
        "a memory limit (address space, data, control group) during the start",
        "one line that names the limit to raise",
        (
            *_in(
                "e2e/test_child.py",
                "too_little_memory_for_the_compiler_is_reported_with_its_limit",
                "a_child_that_runs_out_of_memory_is_reported_with_where_the_kernel_logs_it",
            ),
            *_in("e2e/test_faults.py", "too_little_memory_to_start_is_reported", "no_locked_memory_is_needed"),
        ),
    ),
    Fault(
        "the kernel refuses a map or a program: BPF forbidden (seccomp; lockdown simulated), no memory for it",
        "one line with the error of the kernel",
        _in("e2e/test_faults.py", "everything_that_the_kernel_refuses_at_the_start_is_reported"),
    ),
    Fault(
        "too few open files or threads (ulimit, pids.max)",
        "one line; on a running screen a note, and counting continues",
        _in(
            "e2e/test_faults.py",
            "too_few_open_files_are_reported_with_their_limit",
            "a_refused_thread_is_reported",
            "a_screen_without_a_thread_for_its_collector_ends_in_one_line",
            "a_start_without_a_thread_to_measure_counts_and_notes_it",
            "what_needs_a_thread_that_cannot_be_started_is_a_note_and_counting_goes_on",
            "what_cannot_be_counted_later_is_reported_on_the_screen_and_counting_goes_on",
            "a_screen_that_may_open_nothing_more_ends_in_one_line",
        ),
    ),
    Fault(
        "more caches than the table has slots",
        "allocations that do not fit are in `lost`; the others are exact",
        _in("e2e/test_faults.py", "what_does_not_fit_the_table_is_lost_and_what_is_counted_is_right"),
    ),
    Fault(
        "a map that cannot be read, temporarily or permanently",
        "an error on the screen; the next good interval has the missing counts",
        _in(
            "e2e/test_faults.py",
            "a_map_that_cannot_be_read_for_a_while_is_reported_and_nothing_is_lost",
            "a_map_that_can_never_be_read_again_is_reported_while_the_program_goes_on",
        ),
    ),
    Fault(
        "the clock is set forward or back",
        "no interval and no rate changes; a replay keeps its pace",
        _in(
            "e2e/test_faults.py",
            "a_clock_that_is_set_changes_no_interval_and_no_rate",
            "a_recording_over_a_clock_that_was_set_back_plays_at_its_pace",
        ),
    ),
    Fault(
        "SIGSTOP, SIGTSTP (Ctrl-Z), SIGCONT",
        "one longer interval, nothing lost; the terminal is restored, and drawn again afterwards",
        _in(
            "e2e/test_faults.py",
            "a_screen_that_was_stopped_and_continued_lost_nothing",
            "ctrl_z_gives_the_terminal_back_and_fg_draws_the_screen_again",
        ),
    ),
    Fault(
        "SIGINT, SIGTERM, SIGHUP, the terminal closed",
        "terminal restored, programs detached, the interval so far printed; the exit status is that of the signal",
        (
            *_in(
                "e2e/test_terminal.py",
                "a_signal_restores_the_terminal_and_detaches",
                "a_terminal_that_is_closed_ends_the_program_and_detaches",
            ),
            *_in("e2e/test_outputs.py", "ctrl_c_prints_the_interval_so_far_and_detaches"),
            *_in("unit/outputs/test_stream.py", "whenever_an_interrupt_comes_all_that_was_counted_is_printed"),
        ),
    ),
    Fault(
        "a signal while nothing reads the terminal or the pipe (Ctrl-S, a stalled connection), or a second signal",
        "detached at once; ended after a second with the status of the signal and the terminal's settings restored",
        _in(
            "e2e/test_ending.py",
            "a_loop_that_reads_nothing_does_not_block_the_producer",
            "a_signal_ends_it_though_the_pipe_is_full",
            "a_signal_detaches_though_the_pipe_is_full",
            "counting_ends_before_the_output_does",
            "a_slow_reader_gets_everything_after_an_interrupt",
            "a_signal_ends_the_screen_though_its_terminal_is_not_read",
            "a_signal_detaches_though_the_terminal_is_not_read",
            "a_stopped_terminal_does_not_keep_it_from_ending",
            "a_second_signal_is_fatal",
        ),
    ),
    Fault(
        "a signal during imports, or where Python drops exceptions",
        "ended without a traceback",
        (
            *_in(
                "e2e/test_start.py",
                "a_signal_at_any_moment_ends_it_without_a_traceback",
                "a_signal_at_any_moment_of_a_live_start_ends_it",
            ),
            *_in("e2e/test_ending.py", "a_signal_whose_exception_python_drops_ends_it"),
        ),
    ),
    Fault(
        "a disk that hangs while recording, a source that hangs",
        "the screen continues; at the end all programs are detached at once",
        _in(
            "e2e/test_ending.py",
            "a_disk_that_hangs_keeps_nothing_attached",
            "a_source_that_hangs_does_not_keep_it_from_ending",
        ),
    ),
    Fault(
        "text pasted into the terminal",
        "inserted into an open prompt up to the first newline; ignored elsewhere",
        _in(
            "e2e/test_paste.py",
            "what_is_pasted_into_the_filter_runs_no_command",
            "what_is_pasted_on_the_table_or_a_dialog_does_nothing",
            "a_long_paste_does_not_freeze_the_screen",
        ),
    ),
    Fault(
        "a locale that is not UTF-8 (nine encodings), with names in any alphabet",
        "drawn in ASCII",
        _in(
            "e2e/test_locales.py",
            "every_view_is_drawn_in_ascii",
            "the_demo_has_its_history_and_marks",
            "outputs_and_messages_work",
        ),
    ),
    Fault(
        "a regular expression that takes too long",
        "refused after a quarter of a second: in the prompt, or by one line for an output",
        (
            *_in(
                "e2e/test_terminal.py",
                "a_filter_that_takes_too_long_is_refused_where_it_is_typed",
                "a_filter_that_takes_too_long_with_the_names_that_come_is_dropped",
                "a_filter_that_takes_too_long_ends_an_output_in_one_line",
            ),
            *_in("unit/columns/test_query.py", "an_expression_that_takes_too_long_is_refused"),
        ),
    ),
    Fault(
        "standard output full, closed or slow; a full disk during recording",
        "one line, or longer intervals; the screen continues without the recording",
        _in(
            "e2e/test_outputs.py",
            "an_output_that_takes_nothing_is_one_line",
            "a_reader_that_is_gone_ends_it_quietly_and_detached",
            "a_slow_reader_gets_longer_intervals_and_every_count",
            "a_full_disk_stops_the_recording_and_not_the_screen",
            "closed_descriptors_do_no_harm",
        ),
    ),
    Fault(
        "/proc/slabinfo unreadable or garbled, /sys/kernel/slab refused",
        "counting continues, LIVE is unknown, and a note says why",
        (
            *_in("e2e/test_faults.py", "a_garbled_slabinfo_costs_the_live_objects_and_says_so"),
            *_in("e2e/test_privileges.py", "without_permission_to_read_slabinfo_it_counts_and_says_what_is_missing"),
            *_in(
                "unit/kernel/procfs/test_slabinfo.py",
                "a_refused_list_of_names_is_reported_until_the_kernel_gives_one_again",
            ),
        ),
    ),
    Fault(
        "BTF unreadable or garbled",
        "one line",
        _in("e2e/test_faults.py", "invalid_btf_is_reported", "btf_that_may_not_be_read_is_reported"),
    ),
    Fault(
        "bcc missing, broken, or of another version",
        "one line with the command that installs it; newer versions are tried",
        _in(
            "e2e/test_child.py",
            "an_unusable_bcc_is_reported_with_how_to_install_one",
            "a_bcc_that_is_new_or_of_no_version_is_used",
        ),
    ),
    Fault(
        "the compiler aborts, crashes, is killed, exits, hangs, prints, or cannot be started",
        "one line at the start; later a note on the screen, and counting continues",
        _in(
            "e2e/test_child.py",
            "a_child_that_ends_at_the_start_is_one_line",
            "a_child_that_ends_later_is_a_note_and_counting_goes_on",
            "a_child_that_hangs_at_the_start_is_one_line",
            "a_child_that_hangs_during_an_inspection_is_a_note_and_the_screen_answers",
            "a_hanging_child_does_not_keep_slabtui_from_ending",
            "what_a_child_prints_reaches_no_screen_and_does_no_harm",
            "a_child_that_may_not_be_started_is_reported_with_the_limit",
            "a_child_whose_maps_the_kernel_refuses_is_one_line",
        ),
    ),
    Fault(
        "tracefs absent",
        "works; a note if Linux 7 misses events because of this",
        (
            *_in("e2e/test_faults.py", "no_tracefs_is_needed"),
            *_in("live/test_handover.py", "raw_tracepoints_go_on_where_classic_ones_cannot_be_attached"),
        ),
    ),
    Fault(
        "a control group that is removed and created again",
        "it is counted again; a note says what may be missing",
        _in("live/test_inspect.py", "a_control_group_that_is_created_again_is_counted_again"),
    ),
    Fault("two instances of slabtui", "both count the same", _in("e2e/test_outputs.py", "two_at_once_count_the_same")),
    Fault(
        "a recording from another kernel, from an older or a newer slabtui, or a damaged one",
        "shown with its host and kernel, and up to the damage; a later schema is refused in one line",
        (
            *_in(
                "e2e/test_faults.py",
                "a_recording_from_another_kernel_shows_its_host_and_kernel",
                "a_recording_of_a_slabtui_that_knew_less_is_shown",
                "a_recording_of_a_later_schema_is_refused_in_one_line",
            ),
            *_in("unit/recording/test_reader.py", "a_recording_cut_anywhere_is_read_as_far_as_it_goes"),
        ),
    ),
    Fault(
        "the collector's thread dies",
        "one line, with the terminal restored",
        _in("e2e/test_terminal.py", "a_collector_that_dies_is_reported_in_one_line_on_a_restored_terminal"),
    ),
    Fault(
        "fuzzed BTF (hypothesis)",
        "refused in one line, no exception",
        _in(
            "unit/kernel/abi/test_btf.py",
            "no_single_flipped_bit_breaks_the_reader",
            "no_damaged_words_break_the_reader",
            "no_damaged_bytes_break_the_reader",
            "no_garbage_behind_a_header_breaks_the_reader",
        ),
    ),
    Fault(
        "fuzzed /proc/slabinfo (hypothesis)",
        "a note, no exception",
        _in("e2e/test_faults.py", "no_change_to_slabinfo_breaks_its_reader"),
    ),
    Fault(
        "fuzzed recordings (hypothesis)",
        "refused in one line, no exception",
        _in(
            "unit/recording/test_reader.py",
            "no_bytes_break_the_reader",
            "no_change_to_a_recording_breaks_the_reader",
        ),
    ),
    Fault(
        "malicious recordings: mutated, of one line, of any size when unpacked",
        "refused in one line; at most 300 MB and 5 s each",
        _in(
            "unit/recording/test_hostile.py",
            "mutated_recordings_do_no_harm",
            "hostile_recordings_do_no_harm",
            "a_window_that_no_recording_needs_is_refused",
            "what_a_large_host_records_is_read",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of the tests of a fault, in words, and whether all passed."""

    fault: Fault
    words: str
    right: bool


def run(faults: Sequence[Fault] = FAULTS) -> list[Outcome]:
    """Run the tests of all faults."""
    with tempfile.TemporaryDirectory() as directory:
        junit = Path(directory, "junit.xml")
        tests = [test for fault in faults for test in fault.tests]
        options = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=search", f"--junitxml={junit}"]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        return judged(faults, junit.read_text() if junit.exists() else "<testsuites/>")


def judged(faults: Sequence[Fault], junit: str) -> list[Outcome]:
    """Return the outcome of each fault from pytest's junit XML; a test that did not run did not pass."""
    cases = [(_function(case), case.get("name", "?"), _trouble(case)) for case in ET.fromstring(junit).iter("testcase")]
    return [_outcome(fault, [case for case in cases if case[0] in map(_stem, fault.tests)]) for fault in faults]


def _outcome(fault: Fault, cases: Sequence[tuple[str, str, str]]) -> Outcome:
    missing = [test for test in fault.tests if _stem(test) not in [function for function, *_ in cases]]
    bad = [f"{name}: {trouble}" for _, name, trouble in cases if trouble] + [f"{test} did not run" for test in missing]
    words = f"does not work: {'; '.join(bad)}" if bad else f"{len(cases)} of {len(cases)} tests passed"
    return Outcome(fault, words, not bad)


def _stem(test: str) -> str:
    """Return FILE::FUNCTION of a test, without the directory of all tests and the suffix."""
    return test.removeprefix(f"{_TESTS}/").replace(".py", "")


def _function(case: ET.Element) -> str:
    """Return FILE::FUNCTION of a case, as `_stem` does of a test, without the parameters."""
    file = case.get("classname", "").removeprefix(f"{_TESTS}.").replace(".", "/")
    return f"{file}::{case.get('name', '').partition('[')[0]}"


def _trouble(case: ET.Element) -> str:
    """Return why a case did not pass; nothing if it did."""
    found = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
    return "" if found is None else f"{found.tag}: {found.get('message', '').partition(chr(10))[0]}"
