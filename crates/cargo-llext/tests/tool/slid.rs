//! `llext slid` and `llext prepare`: numbers for names. The witness is readelf.

use std::process::Command;

use crate::support::Place;

/// Of what `llext/extension.h` and `llext.x` ask a board's linker script for.
const SCRIPT: &str = "MEMORY { FLASH : ORIGIN = 0x100000, LENGTH = 64K }
    SECTIONS {
      .text : { *(.text .text.*) } > FLASH
      .rodata : { *(.rodata .rodata.*) } > FLASH
      .data : { *(.data .data.* .bss) } > FLASH
      /DISCARD/ : { *(.note .note.* .eh_frame .comment) }
    }";
const FIRMWARE: &str = "#include <llext/extension.h>
    void _start(void) {}
    int printk(int a) { return a; }
    int log2(int a) { return a; }
    int log(int a) { return a; }
    EXPORT_SYMBOL(printk); EXPORT_SYMBOL_NAMED(log2, log2); EXPORT_SYMBOL(log);";
/// Two names whose digests begin with the same 32 bits.
const CLASH: &str = "#include <llext/extension.h>
    void _start(void) {}
    static int a, b;
    EXPORT_SYMBOL_NAMED(a, f29738); EXPORT_SYMBOL_NAMED(b, f52122); EXPORT_SYMBOL_NAMED(a, twice); EXPORT_SYMBOL_NAMED(b, other);";
const BY_SLID: &str = "-DCONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID";
const EXTENSION: &str = "extern int printk(int); extern int maybe(void) __attribute__((weak));
    int probe(void) { return printk(maybe ? maybe() : 1); }";

impl Place {
    pub(crate) fn compile(&self, source: &str, output: &str, options: &[&str]) {
        let source = self.write("source.c", source);
        let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
        let mut cc = Command::new("cc");
        cc.args(options).arg(include).arg(source).arg("-o").arg(self.path(output));
        let done = cc.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// A firmware for an imagined board of this word size.
    pub(crate) fn firmware(&self, source: &str, options: &[&str]) {
        self.write("link.x", SCRIPT);
        let script = format!("-Wl,-T{}", self.path("link.x").display());
        let llext = concat!("-Wl,-T", env!("CARGO_MANIFEST_DIR"), "/../llext/llext.x");
        let board = [
            "-DLLEXT_HOST_BUILD",
            "-ffreestanding",
            "-nostdlib",
            "-static",
            "-no-pie",
            "-fno-pie",
            "-Wl,--gc-sections",
        ];
        self.compile(source, "firmware.elf", &[&board, options, &[llext, &script]].concat());
    }

    pub(crate) fn readelf(&self, options: &[&str], file: &str) -> String {
        let output = Command::new("readelf").args(options).arg(self.path(file)).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    /// The `st_value` of a symbol, as readelf shows it.
    fn value(&self, file: &str, table: &str, name: &str) -> String {
        let symbols = self.readelf(&["-W", table], file);
        let line = symbols.lines().find(|line| line.split_whitespace().last() == Some(name));
        line.unwrap_or_else(|| panic!("{name} in {symbols}")).split_whitespace().nth(1).unwrap().to_owned()
    }

    /// The words of a section, as readelf shows its bytes: of 32 bits and little-endian.
    fn words(&self, section: &str) -> Vec<u32> {
        let dump = self.readelf(&["-x", section], "firmware.elf");
        // The address, four words, the same as text.
        let lines = dump.lines().filter(|line| line.starts_with("  0x"));
        let words = lines.flat_map(|line| line[13..48].split_whitespace());
        words.map(|word| u32::from_str_radix(word, 16).unwrap().swap_bytes()).collect()
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path(file)).unwrap()
    }
}

#[test]
fn undefined_symbols_carry_the_beginning_of_their_digest() {
    let place = Place::new();
    for (options, table, printk) in [
        (&["-c", "-m64"][..], "-s", "87b3105268827052"),
        (&["-c", "-m32"], "-s", "87b31052"),
        (&["-shared", "-nostdlib", "-m64", "-fPIC"], "--dyn-syms", "87b3105268827052"),
        (&["-shared", "-nostdlib", "-m32", "-fPIC"], "--dyn-syms", "87b31052"),
    ] {
        place.compile(EXTENSION, "a.llext", options);
        let (before, defined) = (place.bytes("a.llext"), place.value("a.llext", table, "probe"));
        let said = place.done("slid a.llext -o b.llext").out;
        assert!(said.contains("0x87B31052") && said.contains("maybe"), "{said}");
        assert_eq!(place.bytes("a.llext"), before);
        assert_eq!(place.value("b.llext", table, "printk"), printk);
        assert_ne!(place.value("b.llext", table, "maybe").trim_start_matches('0'), "");
        assert_eq!(place.value("b.llext", table, "probe"), defined);
        let words = if printk.len() == 8 { 4 } else { 8 };
        let changed = before.iter().zip(place.bytes("b.llext")).filter(|(before, after)| **before != *after);
        assert!(changed.count() <= 4 * words, "nothing else is changed");
    }
}

#[test]
fn a_second_time_changes_nothing() {
    let place = Place::new();
    place.compile(EXTENSION, "a.llext", &["-c"]);
    assert_eq!(place.json("slid a.llext")["unchanged"], 0);
    let once = place.bytes("a.llext");
    let again = place.json("slid a.llext");
    let imports = again["symbols"].as_array().unwrap().len();
    assert!(imports >= 2);
    assert_eq!((&again["unchanged"], place.bytes("a.llext")), (&imports.into(), once));
}

#[test]
fn what_is_no_slid_is_left_alone_and_refused() {
    let place = Place::new();
    place.compile(EXTENSION, "a.llext", &["-c", "-m64"]);
    let mut bytes = place.bytes("a.llext");
    let slids = {
        place.done("slid a.llext");
        place.bytes("a.llext")
    };
    let at = bytes.iter().zip(&slids).position(|(before, after)| before != after).unwrap();
    bytes[at] = 1;
    place.write("b.llext", &bytes);
    assert!(place.refused("slid b.llext", "E0739").err.contains("expected 0 or its SLID"));
    assert_eq!(place.bytes("b.llext"), bytes);
    place.compile(
        "extern int f29738, f52122; int probe(void) { return f29738 + f52122; }",
        "c.llext",
        &["-c", "-m32", "-fno-pic"],
    );
    assert!(place.refused("slid c.llext", "E0738").err.contains("f29738 and f52122 (0xCD0B404F)"));
}

#[test]
fn a_firmware_for_slids_has_them_sorted_and_no_names_in_memory() {
    let place = Place::new();
    place.firmware(FIRMWARE, &["-m32", BY_SLID]);
    let sections = place.readelf(&["-S", "-W"], "firmware.elf");
    let names = sections.lines().find(|line| line.contains("llext_exports_strtab")).unwrap();
    assert!(!names.split_whitespace().any(|flags| flags == "A"), "not in memory: {names}");

    let said = place.json("prepare firmware.elf --slid --listing slids.txt");
    assert_eq!(said["tables"][0]["section"], "llext_slids");
    let listing = std::fs::read_to_string(place.path("slids.txt")).unwrap();
    assert!(listing.lines().is_sorted() && listing.contains("0x87B31052 -> printk\n"), "{listing}");

    let words = place.words("llext_slids");
    let entries: Vec<(u32, u32)> = words.chunks(2).map(|entry| (entry[0], entry[1])).collect();
    assert!(entries.len() == 3 && entries.is_sorted(), "{entries:x?}");
    for line in listing.lines() {
        let (slid, name) = line.split_once(" -> ").unwrap();
        let slid = u32::from_str_radix(&slid[2..], 16).unwrap();
        let address = u32::from_str_radix(&place.value("firmware.elf", "-s", name), 16).unwrap();
        assert!(entries.contains(&(slid, address)), "{name}: {slid:x} {address:x} in {entries:x?}");
    }
    // What is in no flash any more must not be lost by asking again.
    place.done("prepare firmware.elf --slid --listing slids.txt");
    assert_eq!(std::fs::read_to_string(place.path("slids.txt")).unwrap(), listing);
}

#[test]
fn an_extension_is_checked_against_slids() {
    let place = Place::new();
    place.firmware(FIRMWARE, &["-m64", BY_SLID]);
    place.compile(EXTENSION, "a.llext", &["-c", "-m64", "-fno-pic"]);
    place.refused("check a.llext --against firmware.elf", "E0737");
    place.done("prepare firmware.elf --slid");
    let refused = place.refused("check a.llext --against firmware.elf", "E0730");
    assert!(refused.err.contains("printk"), "{}", refused.err);
    place.done("slid a.llext");
    place.done("check a.llext --against firmware.elf");
    let imports = place.json("inspect a.llext")["imports"].clone();
    let printk = imports.as_array().unwrap().iter().find(|import| import["name"] == "printk").unwrap();
    assert_eq!(printk["slid"], "0x87B3105268827052");
    place.compile(
        "extern int absent(void); int probe(void) { return absent(); }",
        "b.llext",
        &["-c", "-m64", "-fno-pic"],
    );
    place.done("slid b.llext");
    place.refused("check b.llext --against firmware.elf", "E0730");
}

#[test]
fn a_prepared_table_is_marked_and_left_alone() {
    let place = Place::new();
    for (options, line) in
        [(&["-m64", BY_SLID][..], "prepare firmware.elf --slid"), (&["-m64"], "prepare firmware.elf")]
    {
        place.firmware(FIRMWARE, options);
        place.done(line);
        let table = if options.contains(&BY_SLID) { "llext_slids" } else { "llext_exports" };
        let details = place.readelf(&["-t", "-W"], "firmware.elf");
        let flags = details.lines().skip_while(|line| !line.contains(table)).nth(2).unwrap();
        let bits = flags.trim_start().strip_prefix('[').unwrap().split(']').next().unwrap();
        assert_ne!(u64::from_str_radix(bits, 16).unwrap() & 0x0800_0000, 0, "{flags}");
        let once = place.bytes("firmware.elf");
        assert_eq!(place.json(line)["tables"][0]["already"], true);
        assert!(place.done(line).out.contains("was prepared before"));
        assert_eq!(place.bytes("firmware.elf"), once);
    }
}

#[test]
fn a_firmware_for_names_is_sorted_by_their_bytes() {
    let place = Place::new();
    place.firmware(FIRMWARE, &["-m32"]);
    let said = place.json("prepare firmware.elf -o sorted.elf");
    assert_eq!(crate::support::names(&said["tables"][0]["symbols"]), ["log", "log2", "printk"]);
    std::fs::rename(place.path("sorted.elf"), place.path("firmware.elf")).unwrap();
    let words = place.words("llext_exports");
    let addresses = words.iter().skip(1).step_by(2).map(|address| format!("{address:08x}"));
    let expected = ["log", "log2", "printk"].map(|name| place.value("firmware.elf", "-s", name));
    assert!(addresses.eq(expected), "{words:x?}");
}

#[test]
fn all_symbols_that_clash_are_told_at_once() {
    let place = Place::new();
    place.firmware(CLASH, &["-m32", BY_SLID]);
    let before = place.bytes("firmware.elf");
    let said = place.refused("prepare firmware.elf --slid", "E0738");
    assert!(said.err.contains("f29738 and f52122 (0xCD0B404F)"), "{}", said.err);
    assert_eq!(place.bytes("firmware.elf"), before);
}

#[test]
fn names_and_slids_are_not_mixed_up() {
    let place = Place::new();
    place.firmware(FIRMWARE, &["-m64"]);
    place.refused("prepare firmware.elf --slid", "E0736");
    place.firmware(FIRMWARE, &["-m64", BY_SLID]);
    place.refused("prepare firmware.elf", "E0737");
    place.firmware("void _start(void) {}", &["-m64"]);
    place.refused("prepare firmware.elf", "E0734");
    place.compile(EXTENSION, "a.o", &["-c"]);
    place.refused("prepare a.o", "E0735");
}
