//! What is kept of a file for whoever looks into the extension. The witness is another reader of ELF files.

use crate::common::compile;
use llext::error::Name;
use llext::loader::{InspectedSection, Inspection};
use llext::memory::Part;
use llext::source::{ReadOnly, Static, Writable};
use llext::{Error, Host, Plugin, Source};
use object::{Object, ObjectSection};

extern "C" fn host_add(a: i32, b: i32) -> i32 {
    a + b
}
llext::exports! { static HOST; fn host_add(a: i32, b: i32) -> i32; }

/// Each thing in a section of its own, and one that is not loaded.
const SOURCE: &str = "extern int host_add(int, int);
    int in_bss;
    int in_data = 7;
    const int in_rodata = 8;
    __attribute__((section(\".my_rodata\"))) const int in_my_rodata = 9;
    __attribute__((section(\".unloaded,\\\"\\\",@progbits#\"))) const int nowhere = 10;
    static __attribute__((noinline)) int inner(void) { return in_data; }
    int probe(void) { return host_add(in_rodata, in_my_rodata) + inner() + in_bss; }";
const PLACED: [(&str, &str, Part); 5] = [
    ("in_bss", ".bss", Part::Data),
    ("in_data", ".data", Part::Data),
    ("in_rodata", ".rodata", Part::Constants),
    ("in_my_rodata", ".my_rodata", Part::Constants),
    ("probe", ".text", Part::Code),
];
fn object() -> Vec<u8> {
    compile("inspect_o", SOURCE, &["-O1", "-fno-common"])
}

fn shared() -> Vec<u8> {
    compile("inspect_so", SOURCE, &["-O1", "-shared", "-nostdlib"])
}

fn load<'h>(host: &'h Host, source: impl Source, memory: &mut [u8]) -> Result<Plugin<'h>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { host.loader().inspection(memory).load("app", source) }
}

fn host() -> Host {
    Host::without_libc(&HOST).unwrap()
}

/// The bytes of a loaded section.
fn bytes<'p>(_: &'p Plugin<'_>, section: &InspectedSection<'_>) -> &'p [u8] {
    // SAFETY: the section lies in the live extension, whose handle is borrowed as long.
    unsafe { core::slice::from_raw_parts(section.header.address as *const u8, section.header.size as usize) }
}

#[test]
fn a_symbol_lies_in_its_section_and_that_in_a_region() {
    let (host, file) = (host(), object());
    let mut memory = vec![0; 1 << 16];
    let plugin = load(&host, &file[..], &mut memory).unwrap();
    let inspection = Inspection::new(&memory).unwrap();
    for (symbol, section, part) in PLACED {
        let section = inspection.section(section).unwrap();
        let (found, offset) = section.place.unwrap();
        assert_eq!(found, part, "{symbol}");
        let region = plugin.regions().find(|region| region.part == part).unwrap();
        assert_eq!(section.header.address, (region.address + offset) as u64, "{symbol}");
        assert!(offset + section.header.size as usize <= region.size, "{symbol}");
        let symbol = inspection.globals().find(|found| found.name == symbol.as_bytes()).unwrap();
        let range = section.header.address..section.header.address + section.header.size;
        assert!(
            range.contains(&(symbol.address as u64)) && u32::from(symbol.symbol.section) == section.index
        );
    }
    let exported = |name: &[u8]| plugin.exports().find(|export| export.0 == name).map(|export| export.1);
    for symbol in inspection.globals() {
        assert_eq!(exported(symbol.name), Some(symbol.address), "{symbol:?}");
    }
}

#[test]
fn headers_and_symbols_are_those_of_the_file_but_for_the_address() {
    for (file, kept) in [(object(), "symtab"), (shared(), "dynsym")] {
        let (host, mut memory) = (host(), vec![0; 1 << 16]);
        let plugin = load(&host, ReadOnly(&file), &mut memory).unwrap();
        let inspection = Inspection::new(&memory).unwrap();
        let witness = object::File::parse(&*file).unwrap();
        assert_eq!(inspection.sections().count(), witness.sections().count() + 1, "and the null section");
        for section in witness.sections() {
            let found = inspection.sections().nth(section.index().0).unwrap();
            assert_eq!(found.name, section.name_bytes().unwrap());
            let header = found.header;
            assert_eq!((header.size, header.align.max(1)), (section.size(), section.align().max(1)));
            if let Some((offset, _)) = section.file_range() {
                assert_eq!(header.offset, offset);
            }
            if found.name == b".my_rodata" {
                assert_eq!(bytes(&plugin, &found), section.data().unwrap());
                assert!(found.place.is_some());
            }
        }
        let count =
            if kept == "symtab" { witness.symbols().count() } else { witness.dynamic_symbols().count() };
        assert_eq!(inspection.symbols().count(), count);
        let own = inspection.symbols().find(|symbol| symbol.name == b"host_add").unwrap();
        assert_eq!(own.address, host_add as *const () as usize, "what others define is where it was found");
    }
}

#[test]
fn what_is_not_loaded_lies_nowhere() {
    let (host, file, mut memory) = (host(), object(), vec![0; 1 << 16]);
    let _plugin = load(&host, &file[..], &mut memory).unwrap();
    let inspection = Inspection::new(&memory).unwrap();
    let section = inspection.section(".unloaded").unwrap();
    assert_eq!((section.place, section.header.address), (None, 0));
    assert!(section.header.offset > 0, "it can still be found in the file");
    let symbol = inspection.symbols().find(|symbol| symbol.name == b"nowhere").unwrap();
    assert_eq!(symbol.address, 0);
    assert!(inspection.globals().all(|symbol| symbol.name != b"nowhere"));
    assert!(inspection.section(".absent").is_none());
}

#[test]
fn local_symbols_are_kept_as_well() {
    let (host, file, mut memory) = (host(), object(), vec![0; 1 << 16]);
    let _plugin = load(&host, &file[..], &mut memory).unwrap();
    let inspection = Inspection::new(&memory).unwrap();
    let inner = inspection.symbols().find(|symbol| symbol.name == b"inner").unwrap();
    let text = inspection.section(".text").unwrap().header;
    assert!((text.address..text.address + text.size).contains(&(inner.address as u64)));
    assert!(inspection.globals().all(|symbol| symbol.name != b"inner"));
}

#[test]
fn too_little_memory_is_refused_with_what_is_needed() {
    for file in [object(), shared()] {
        let host = host();
        let Err(Error::InspectionTooSmall { wanted, available: 3 }) = load(&host, &file[..], &mut [7; 3])
        else {
            panic!("3 bytes are too few");
        };
        let mut memory = vec![0; wanted as usize];
        let refused = load(&host, &file[..], &mut memory[1..]).unwrap_err();
        assert_eq!(refused, Error::InspectionTooSmall { wanted, available: wanted - 1 });
        let text = format!("inspection: too little memory (found {} bytes, {wanted} needed)", wanted - 1);
        assert_eq!(refused.to_string(), text);
        assert!(host.find("app").is_none());
        load(&host, &file[..], &mut memory).unwrap();
        assert!(Inspection::new(&memory).is_some());
    }
}

#[test]
fn only_a_load_that_ended_well_leaves_something() {
    let (host, file, mut memory) = (host(), object(), vec![0; 1 << 16]);
    assert!(Inspection::new(&memory).is_none());
    drop(load(&host, &file[..], &mut memory).unwrap());
    let broken = compile("inspect_broken", "int llext_init(void) { return 3; }", &["-O1"]);
    let refused = Error::InitFailed { name: Name::new(b"app"), status: 3 };
    assert_eq!(load(&host, &broken[..], &mut memory).err(), Some(refused));
    assert!(Inspection::new(&memory).is_none());
    assert!(Inspection::new(&[]).is_none());

    let file: &'static [u8] = file.leak();
    let _live = load(&host, Static(file), &mut memory).unwrap();
    assert!(Inspection::new(&memory).is_some());
    let _again = load(&host, Static(file), &mut memory).unwrap();
    assert!(Inspection::new(&memory).is_none(), "nothing was loaded");
}

/// LLEXT's test of the same: where the file is used in place, a section lies at its offset in it.
#[test]
fn a_section_in_place_lies_at_its_offset_in_the_file() {
    let (host, bytes) = (host(), object());
    let room = vec![0; bytes.len() + 64].leak();
    let start = room.as_ptr().align_offset(64);
    let file = &mut room[start..][..bytes.len()];
    file.copy_from_slice(&bytes);
    let at = file.as_ptr().addr() as u64;
    let mut memory = vec![0; 1 << 16];
    // SAFETY: the source is in this test, and nobody else uses the bytes.
    let plugin = unsafe { host.loader().inspection(&mut memory).load("app", Writable::new(file)) }.unwrap();
    let inspection = Inspection::new(&memory).unwrap();
    let section = inspection.section(".my_rodata").unwrap();
    assert_eq!(section.header.address, at + section.header.offset);
    let region = plugin.regions().find(|region| region.part == Part::Image).unwrap();
    let (part, offset) = section.place.unwrap();
    assert_eq!((part, (region.address + offset) as u64), (Part::Image, section.header.address));
    let symbol = inspection.globals().find(|symbol| symbol.name == b"in_my_rodata").unwrap();
    assert_eq!(symbol.address as u64, section.header.address);
}
