//! inspect and size, on files whose every byte is known.

use crate::fixture::{self, Fixture};
use crate::support::{Place, names};

fn place() -> Place {
    let place = Place::new();
    place.write("a.llext", fixture::extension());
    place
}

#[test]
fn inspect_tells_all_there_is() {
    insta::assert_snapshot!(place().done("inspect a.llext").out, @r"
    a.llext: relocatable object, x86-64, 64-bit little-endian, 1344 bytes

    sections 9
      index  name                type      flags  size  align  region
          1  .text               PROGBITS  AX       64     16  text
          2  .rela.text          RELA               96      8  -
          3  .bss                NOBITS    WA      100      8  bss
          4  .rodata             PROGBITS  A        10      1  rodata
          5  .exported_sym       PROGBITS  WA       32      8  exports
          6  .rela.exported_sym  RELA               96      8  -
          7  .symtab             SYMTAB            192      8  -
          8  .strtab             STRTAB             69      1  -
          9  .shstrtab           STRTAB             70      1  -

    exports 2
      probe .text+0x0
      add .text+0x10

    imports 4
      printf
      draw::Line(int, int) (_ZN4draw4LineEii)
      core::panic (_RNvC4core5panic)
      tune (weak)

    relocations 8
      type            count
      R_X86_64_64         4
      R_X86_64_PLT32      4

    a load takes 276 bytes
      part       bytes  align
      code         128     16
      constants     48     16
      data         100     16
      with at most 4 far-call stubs and 0 GOT slots
    ");
}

#[test]
fn inspect_tells_programs_the_same() {
    let facts = place().json("inspect a.llext");
    assert_eq!(facts["kind"], "relocatable object");
    assert_eq!((&facts["machine"], &facts["bits"]), (&"x86-64".into(), &64.into()));
    assert_eq!(names(&facts["exports"]), ["probe", "add"]);
    assert_eq!(facts["exports"][1]["offset"], 16);
    assert_eq!(names(&facts["imports"]), ["printf", "_ZN4draw4LineEii", "_RNvC4core5panic", "tune"]);
    assert_eq!(facts["imports"][3]["weak"], true);
    assert_eq!(facts["relocations"]["R_X86_64_PLT32"], 4);
    assert_eq!(facts["load"]["stubs"], 4);
    assert!(facts["load"]["total"].as_u64().unwrap() > 200);
}

#[test]
fn what_a_load_would_refuse_is_said_and_no_failure() {
    let place = Place::new();
    let mut bytes = fixture::extension();
    bytes[18..20].copy_from_slice(&8u16.to_le_bytes());
    place.write("mips.llext", &bytes);
    let said = place.done("inspect mips.llext");
    assert!(said.out.contains("a load refuses it E0103"), "{}", said.out);
    let facts = place.json("inspect mips.llext");
    assert_eq!((&facts["machine"], &facts["load"]["refused"]["code"]), (&"mips64".into(), &"E0103".into()));
    assert_eq!(facts["sections"][0]["region"], "text");
}

#[test]
fn size_tells_regions_and_biggest_symbols() {
    insta::assert_snapshot!(place().done("size a.llext").out, @r"
    a.llext: 1344 bytes in the file, 206 in memory
      region   bytes  share
      bss        100  48.5%
      text        64  31.1%
      exports     32  15.5%
      rodata      10   4.9%

    biggest symbols
      bytes  section  symbol
         48  .text    add_two_numbers
         16  .text    probe
    ");
    insta::assert_snapshot!(place().done("size a.llext --top 0").out, @r"
    a.llext: 1344 bytes in the file, 206 in memory
      region   bytes  share
      bss        100  48.5%
      text        64  31.1%
      exports     32  15.5%
      rodata      10   4.9%
    ");
    let filling = place().json("size a.llext");
    assert_eq!(filling["symbols"][0]["name"], "add_two_numbers");
    assert_eq!(filling["symbols"][0]["bytes"], 48);
}

#[test]
fn a_table_without_contents_is_refused() {
    let place = Place::new();
    let mut fixture = Fixture::new();
    let probe = fixture.function("probe", 1);
    fixture.table(".exported_sym", &[("probe", probe)]);
    let mut bytes = fixture.bytes();
    // The table's relocations become those of another type of section, so that its entries are zero.
    let header = section_header(&bytes, 4);
    bytes[header..header + 4].copy_from_slice(&1u32.to_le_bytes());
    place.write("a.llext", &bytes);
    place.refused("inspect a.llext", "E0732");
}

/// Where the type of the first section of this type stands.
fn section_header(bytes: &[u8], kind: u32) -> usize {
    let table = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
    let types = (table + 4..bytes.len()).step_by(64);
    types.into_iter().find(|at| bytes[*at..*at + 4] == kind.to_le_bytes()).unwrap()
}

/// No damage may do worse than a refusal.
#[test]
fn damaged_files_are_refused_or_told() {
    let place = Place::new();
    let whole = fixture::extension();
    for step in 0..60 {
        let mut bytes = whole.clone();
        let at = (step * 7919) % bytes.len();
        bytes[at] ^= 1 << (step % 8);
        bytes.truncate(if step % 5 == 0 { bytes.len() - step * 3 } else { bytes.len() });
        place.write("a.llext", &bytes);
        for command in ["inspect a.llext", "size a.llext", "check a.llext --against a.llext"] {
            let said = place.run(command);
            assert!(matches!(said.status, 0 | 1), "{command}, step {step}: {}", said.err);
        }
    }
}
