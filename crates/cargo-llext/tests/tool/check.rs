//! check: what an extension needs, held against what hosts provide.

use crate::fixture::{self, Fixture};
use crate::support::{Place, names};

fn place() -> Place {
    let place = Place::new();
    place.write("a.llext", fixture::extension());
    place
}

/// A host that exports these names through a section.
fn host(section: &str, exports: &[&str]) -> Vec<u8> {
    let mut fixture = Fixture::new();
    let code = fixture.function("code", 4);
    let exports: Vec<_> = exports.iter().map(|name| (*name, code)).collect();
    fixture.table(section, &exports);
    fixture.bytes()
}

#[test]
fn all_missing_names_are_told_at_once_and_readably() {
    let place = place();
    place.write("names.txt", "# what the firmware offers\nprintf # of libc\n\nputs\n");
    let said = place.refused("check a.llext --against names.txt", "E0730");
    let missing = &said.json()["missing"];
    assert_eq!(names(missing), ["_ZN4draw4LineEii", "_RNvC4core5panic"]);
    assert_eq!(missing[0]["readable"], "draw::Line(int, int)");
    insta::assert_snapshot!(place.run("check a.llext --against names.txt").out, @r"
    missing draw::Line(int, int) (_ZN4draw4LineEii)
    missing core::panic (_RNvC4core5panic)
    ");
}

#[test]
fn weak_symbols_and_those_of_the_run_time_are_not_missed() {
    let place = Place::new();
    let mut fixture = Fixture::new();
    fixture.function("probe", 32);
    for (offset, name) in
        [(0, "__dso_handle"), (4, "__cxa_atexit"), (8, "llext_panic"), (12, "__start_records")]
    {
        let symbol = fixture.import(name, false);
        fixture.call(offset, symbol);
    }
    let weak = fixture.import("tune", true);
    fixture.call(20, weak);
    place.write("a.llext", fixture.bytes());
    place.write("nothing.txt", "");
    assert!(place.done("check a.llext --against nothing.txt").out.starts_with("ok a.llext"));
}

#[test]
fn hosts_are_sections_of_exports_extensions_and_lists() {
    let place = place();
    let all = ["printf", "_ZN4draw4LineEii", "_RNvC4core5panic"];
    for section in [".llext.exports", "llext_exports", ".exported_sym"] {
        place.write("host.elf", host(section, &all));
        place.done("check a.llext --against host.elf");
        place.write("host.elf", host(section, &all[..2]));
        place.refused("check a.llext --against host.elf", "E0730");
    }
    place.write("list.txt", all[2]);
    place.done("check a.llext --against host.elf --against list.txt");
    assert_eq!(
        place.json("check a.llext --against host.elf --against list.txt")["missing"],
        serde_json::json!([])
    );
}

#[test]
fn what_provides_nothing_is_no_host() {
    let place = place();
    place.write("empty.elf", Fixture::new().bytes());
    place.refused("check a.llext --against empty.elf", "E0731");
    place.write("binary", [0u8, 159, 146, 150]);
    place.refused("check a.llext --against binary", "E0731");
}

#[test]
fn a_host_for_another_processor_is_refused() {
    let place = place();
    let mut bytes = host(".llext.exports", &["printf"]);
    bytes[18..20].copy_from_slice(&183u16.to_le_bytes());
    place.write("arm64.elf", &bytes);
    place.refused("check a.llext --against arm64.elf", "E0103");
}

/// Shared objects offer their dynamic symbols, programs what their section lists, wherever they are linked to.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn shared_objects_and_programs_are_hosts() {
    let place = place();
    let compile = |options: &[&str], source: &str, product: &str| {
        let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
        let files = [place.path(source), place.path(product)];
        let mut cc = std::process::Command::new("cc");
        cc.args(options).arg(include).arg(&files[0]).arg("-o").arg(&files[1]);
        assert!(cc.status().unwrap().success());
    };
    place.write("shared.c", "int printf(const char *text, ...) { return text != 0; }\n");
    place.write(
        "program.c",
        "#define LLEXT_HOST_BUILD\n#include <llext/extension.h>\n\
         static int out(void) { return 0; }\nEXPORT_SYMBOL_NAMED(out, printf);\nint main(void) { return out(); }\n",
    );
    compile(&["-shared", "-fPIC", "-fno-builtin"], "shared.c", "host.so");
    compile(&["-pie", "-fPIE"], "program.c", "moving");
    compile(&["-no-pie", "-fno-pie"], "program.c", "fixed");
    for host in ["host.so", "moving", "fixed"] {
        let said = place.refused(&format!("check a.llext --against {host}"), "E0730");
        assert_eq!(names(&said.json()["missing"]), ["_ZN4draw4LineEii", "_RNvC4core5panic"], "{host}");
    }
}
