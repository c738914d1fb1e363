//! Faults inside extensions: who had them is said, and the process ends as it would have.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::support::Place;

const CRASHER: &str = "#include <string.h>\n\
    int first(void) { return 1; }\n\
    void poke(long to) { *(volatile int *)to = 1; }\n\
    int divide(int a, int b) { return a / b; }\n\
    void trap(void) { __builtin_trap(); }\n\
    int deep(int n) { volatile char room[4096]; room[0] = n; return deep(n + 1) + room[0]; }\n\
    unsigned long (*volatile measure)(const char *) = strlen;\n\
    unsigned long length(long of) { return measure((const char *)of); }\n";

/// The signal that ended the tool, and what it said.
fn end_of(place: &Place, line: &str) -> (Option<i32>, String) {
    let output = place.tool().args(line.split_whitespace()).output().unwrap();
    (output.status.signal(), String::from_utf8(output.stderr).unwrap())
}

const ILL: i32 = 4;
const ABORT: i32 = 6;
const FPE: i32 = 8;
const SEGV: i32 = 11;

#[test]
fn a_fault_is_told_of_and_ends_the_process_as_before() {
    let place = Place::new();
    place.build_each(&[("crasher", CRASHER)]);
    let mut faults = vec![
        ("poke 24", &[SEGV][..], "SIGSEGV at poke+0x", "about address 0x18\n"),
        // The standard library has a handler for this: where it knows the address, it aborts.
        ("deep 0", &[SEGV, ABORT], "SIGSEGV at deep+0x", ""),
    ];
    if cfg!(target_arch = "x86_64") {
        faults.push(("divide 1 0", &[FPE], "SIGFPE at divide+0x", ""));
        faults.push(("trap", &[ILL], "SIGILL at trap+0x", ""));
    }
    for (call, signals, first, then) in faults {
        let (ended, said) = end_of(&place, &format!("run -q crasher.llext --call {call} --returns void"));
        assert!(ended.is_some_and(|signal| signals.contains(&signal)), "{call}: {ended:?}: {said}");
        let rest = said.strip_prefix(&format!("fault: crasher: {first}"));
        let rest = rest.unwrap_or_else(|| panic!("{call}: {said}"));
        assert!(rest.contains(", code+0x") && rest.contains(then), "{call}: {said}");
    }
}

#[test]
fn a_fault_in_a_library_is_nobodys() {
    let place = Place::new();
    place.build_each(&[("crasher", CRASHER)]);
    let (ended, said) = end_of(&place, "run -q crasher.llext --call length 24");
    assert_eq!((ended, said.as_str()), (Some(SEGV), ""));
}

#[test]
fn a_shared_object_is_told_of_by_its_image() {
    let place = Place::new();
    let (source, product) = (place.write("crasher.c", CRASHER), place.path("crasher.so"));
    let made =
        Command::new("gcc").args(["-shared", "-fPIC", "-nostdlib", "-o"]).args([product, source]).status();
    assert!(made.unwrap().success());
    let (ended, said) = end_of(&place, "run -q crasher.so --call poke 0 --returns void");
    assert_eq!(ended, Some(SEGV), "{said}");
    assert!(said.starts_with("fault: crasher: SIGSEGV at poke+0x") && said.contains(", image+0x"), "{said}");
}

#[test]
fn a_constructor_is_told_of() {
    let place = Place::new();
    let source = "__attribute__((constructor)) static void start(void) { *(volatile int *)24 = 1; }\n\
        int nothing(void) { return 0; }\n";
    place.build_each(&[("early", source)]);
    let (ended, said) = end_of(&place, "run -q early.llext");
    assert_eq!(ended, Some(SEGV), "{said}");
    assert!(said.starts_with("fault: early: SIGSEGV at code+0x"), "{said}");
}
