//! What is left of a load that failed, was dropped, or ended: nothing.
//!
//! Mappings are counted for the whole process, so everything here is one test.
#![cfg(all(feature = "std", target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::{compile, load, probe, start};
use llext::error::Name;
use llext::source::ReadOnly;
use llext::{Error, Host};

extern "C" fn host_add(a: i32, b: i32) -> i32 {
    a + b
}

llext::exports! { static HOST; fn host_add(a: i32, b: i32) -> i32; }

const PROBE: &str =
    "extern int host_add(int, int); static int n = 40; int probe(void) { return host_add(n, 2); }";

fn host() -> Host {
    Host::without_libc(&HOST).unwrap()
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

#[test]
fn nothing_is_left() {
    a_load_dropped_at_any_step_leaves_nothing();
    a_failing_init_is_rolled_back();
    a_missing_symbol_leaves_nothing();
    a_thousand_loads_leave_nothing();
}

fn a_missing_symbol_leaves_nothing() {
    let bytes = compile("nobody", "extern int nobody(void); int probe(void) { return nobody(); }", &["-O2"]);
    let (host, before) = (host(), mappings());
    let error = load(&host, "missing", &bytes[..]).unwrap_err();
    assert_eq!(error.to_string(), "nobody: undefined symbol (1 missing in all)");
    assert_eq!(mappings(), before);
}

fn a_thousand_loads_leave_nothing() {
    for (kind, flags) in [("o", &["-O2"][..]), ("so", &["-O2", "-shared", "-nostdlib"])] {
        let bytes = compile(&format!("thousand_{kind}"), PROBE, flags);
        let host = host();
        drop(load(&host, "first", &bytes[..]).unwrap());
        let before = mappings();
        for _ in 0..1000 {
            let plugin = load(&host, "again", &bytes[..]).unwrap();
            assert_eq!(probe(&plugin), 42);
        }
        assert_eq!(mappings(), before, "{kind}");
    }
}

fn a_load_dropped_at_any_step_leaves_nothing() {
    let (host, bytes) = (host(), compile("dropped", PROBE, &["-O2"]));
    drop(load(&host, "dropped", &bytes[..]).unwrap());
    let before = mappings();
    for steps in 0..60 {
        let mut source = ReadOnly(&bytes);
        let mut load = start(&host, "dropped", &mut source);
        let ended = (0..steps).any(|_| load.step(1).is_ready());
        drop(load);
        assert!(host.find("dropped").is_none(), "after {steps} steps");
        assert_eq!(mappings(), before, "after {steps} steps");
        if ended {
            break;
        }
    }
    load(&host, "dropped", &bytes[..]).unwrap();
}

fn a_failing_init_is_rolled_back() {
    let (host, before) = (host(), mappings());
    let bytes = compile("init", "int llext_init(void) { return 7; }", &["-O2"]);
    let error = load(&host, "init", &bytes[..]).unwrap_err();
    assert_eq!(error, Error::InitFailed { name: Name::new(b"init"), status: 7 });
    assert!(host.find("init").is_none());
    assert_eq!(mappings(), before);
}
