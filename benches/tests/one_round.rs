//! One round of the two small workloads: every row loads, answers as expected, and reports in the promised shape.

use serde_json::Value;
use std::process::{Command, Output};

const ROWS: [&str; 6] = ["llext_o", "llext_so", "llext_so_again", "dlopen", "elf_loader_so", "limit_o"];

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_llext-bench")).args(arguments).output().expect("the program was built")
}

#[test]
fn json_is_one_object_with_every_row() {
    let output = bench(&["--only", "a,b", "--rounds", "1", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("standard output is one JSON value");
    for workload in ["a", "b"] {
        for phase in ["load", "lookup", "unload"] {
            for row in ROWS {
                let median = &report[phase][workload][row]["median_ns"];
                assert!(median.is_u64(), "{phase} {workload} {row}: {median}");
            }
        }
        let bytes = |name: &str| report["memory"][workload][name].as_u64().expect(name);
        assert!(bytes("live") >= bytes("loaded"), "{report}");
        assert!(bytes("peak") >= bytes("live"), "{report}");
    }
    assert!(report["load"].get("d").is_none(), "only what was asked for is measured");
}

#[test]
fn the_table_names_the_host_and_the_gate() {
    let output = bench(&["--only", "b", "--rounds", "1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("the table is text");
    assert!(text.contains("10000 dynamic exports"), "{text}");
    assert!(text.contains("gate b: llext_o"), "{text}");
}

#[test]
fn an_unknown_option_is_refused() {
    for arguments in [&["--fast"][..], &["--only", "e"], &["--rounds", "0"], &["--rounds"]] {
        assert_eq!(bench(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
