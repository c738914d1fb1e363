//! What it costs, beside a load.

use super::*;
use std::fmt::Write as _;
use std::time::Instant;

/// How long each takes is printed, and not judged: that is the machine's.
#[test]
fn a_restore_costs_less_than_a_load() {
    let mut source = String::from("extern void host_hear(int); int sum;\n");
    for function in 0..300 {
        writeln!(
            source,
            "int *at_{function} = &sum; void f{function}(void) {{ host_hear(*at_{function} + sum); }}"
        )
        .unwrap();
    }
    let (memory, bytes) = (Retained::new(), object("large", &source));
    let apps = memory.unified();
    let begun = Instant::now();
    lose([load(apps, "large", &bytes)]);
    println!("a load of 300 functions: {:?}", begun.elapsed());
    for contents in [Contents::Trusted, Contents::Constant, Contents::All] {
        let apps = memory.unified();
        let saved = save_anew(apps, &memory, &bytes, contents);
        let begun = Instant::now();
        let all = restore(memory.unified(), &saved).unwrap();
        println!("a restore of it, {contents:?}: {:?}", begun.elapsed());
        assert_eq!(all.len(), 1);
        drop(all);
    }
}

fn save_anew(apps: &'static Apps, memory: &Retained, bytes: &[u8], contents: Contents) -> Vec<u8> {
    memory.fill(&vec![0; SIZE]);
    lose([load(apps, "large", bytes)]);
    let begun = Instant::now();
    let saved = save(apps, contents);
    println!("saving it, {contents:?}: {:?}", begun.elapsed());
    saved
}
