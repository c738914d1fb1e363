//! Bounded work: when a file has twice as much of something, a load does at most a little more than twice the work.

use std::cell::RefCell;
use std::collections::HashSet;

use llext::memory::Memory;
use llext::source::{ReadOnly, Static, Writable};
use llext::{NoopRawMutex, Registry};

use crate::catalogue::{add_symbols, set_dynamic};
use crate::counter::{counted, is_counting};
use crate::elf::{self, ALLOC, EXEC, File, INIT_ARRAY, NOTE, PROGBITS, WRITE, relocation};
use crate::guarded::{Guarded, Store};
use crate::host::{Pretender, bases};
use crate::sample::{Form, GLOBAL, HOST, OBJECT, OWN, PROBE, UNDEFINED, at, dt, good};
use crate::target;

/// How much more twice as much may take, in tenths.
const GROWTH: u64 = 22;

/// A mapping of its own in every C library, bytes.
const FAR: usize = 64 << 20;

/// Something a file can have many of.
struct Growth {
    what: &'static str,
    form: Form,
    /// Twice as much as this is measured, too.
    count: usize,
    make: fn(&mut File, usize),
}

const ALL: &[Growth] = &[
    Growth { what: "sections", form: Form::Object, count: 16_000, make: sections },
    Growth {
        what: "constructors of as many priorities",
        form: Form::Object,
        count: 2_000,
        make: constructors,
    },
    Growth {
        what: "constructors in as many sections of code",
        form: Form::Object,
        count: 4_000,
        make: constructors_apart,
    },
    Growth { what: "symbols that are defined", form: Form::Object, count: 16_000, make: defined },
    Growth { what: "symbols that the host provides", form: Form::Object, count: 16_000, make: provided },
    Growth { what: "symbols of one hash", form: Form::Object, count: 1_000, make: colliding },
    Growth { what: "relocations of words", form: Form::Object, count: 32_000, make: words },
    Growth { what: "relocations of calls", form: Form::Object, count: 32_000, make: calls },
    Growth { what: "starts of sections, and sections", form: Form::Object, count: 2_000, make: starts },
    Growth { what: "tables of relocations", form: Form::Object, count: 8_000, make: tables },
    Growth { what: "needed libraries", form: Form::Shared, count: 14, make: needed },
    Growth { what: "notes of what is needed", form: Form::Object, count: 2_000, make: notes },
    Growth { what: "packed relocations", form: Form::Shared, count: 48, make: packed },
    Growth { what: "bytes to copy", form: Form::Object, count: 1 << 20, make: contents },
];

/// How the bytes of a file come to the loader; those that stay are used in place.
const SOURCES: [&str; 4] = ["lent", "read", "stays", "writable"];

/// What only RISC-V has.
const PAIRS: Growth =
    Growth { what: "pairs, the lower part first", form: Form::Object, count: 16_000, make: pairs };

/// What takes addends of 64 bits.
const CROWD: Growth =
    Growth { what: "far calls whose stubs meet", form: Form::Object, count: 2_000, make: crowd };

/// Measures all; true when none grows too fast.
pub(crate) fn run() -> Result<bool, String> {
    if !is_counting() {
        return Err("this program does not count its work: run it by `cargo xtask hostile`".to_owned());
    }
    let (mut measured, mut failed) = (0, 0);
    let own = [target::has_pairs().then_some(&PAIRS), crowds().then_some(&CROWD)];
    for growth in ALL.iter().chain(own.into_iter().flatten()) {
        for from in SOURCES {
            measured += 1;
            let [some, more] = [growth.count, 2 * growth.count].map(|count| growth.measure(count, from));
            let ((some, first), (more, second)) = (some?, more?);
            let tenths = more * 10 / some;
            let Growth { what, count, .. } = growth;
            let (tens, ones) = (tenths / 10, tenths % 10);
            println!(
                "work: {count} {what}, {from}: {some} branches ({first}); twice as many: {more} ({second}), {tens}.{ones} times"
            );
            if tenths > GROWTH || first != second {
                failed += 1;
                println!("FAIL: work: {what}: grows {tens}.{ones} times, {first} and {second}");
            }
        }
    }
    println!("work for {}: {measured} measured, {failed} failed", target::native().name);
    Ok(failed == 0)
}

impl Growth {
    /// How much work a load does, and what comes of it.
    fn measure(&self, count: usize, from: &str) -> Result<(u64, &'static str), String> {
        let file = good(target::native(), self.form).with(|file| (self.make)(file, count)).bytes();
        // Files of all sizes lie as far from the rest as the largest: what is out of reach is counted twice.
        let mut bytes = Vec::with_capacity(FAR);
        bytes.extend(file);
        let store = RefCell::new(Store::new()?);
        store.borrow_mut().begin(96 << 20);
        let registry: Registry<_, NoopRawMutex, 1> = Registry::new(Guarded(&store));
        let mut names: HashSet<Vec<u8>> = (0..2 * count.min(40_000)).map(host_name).collect();
        names.insert(HOST.as_bytes().to_vec());
        let host = Pretender { names: &names, base: bases()[0], has_libraries: false };
        let start = counted();
        // SAFETY: nothing is loaded: no source of these bytes outlives the call.
        let lasting = unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr(), bytes.len()) };
        let said = verify(&registry, &host, lasting, from);
        let work = counted() - start;
        store.borrow_mut().end()?;
        Ok((work, said))
    }
}

fn verify<M: Memory>(
    registry: &Registry<M, NoopRawMutex, 1>,
    host: &Pretender<'_>,
    bytes: &'static mut [u8],
    from: &str,
) -> &'static str {
    // Nothing runs: so it may be said of any memory that it could.
    let loader = registry.loader(host).code_in_place(true);
    let said = match from {
        "lent" => loader.verify("work", &*bytes),
        "read" => loader.verify("work", ReadOnly(bytes)),
        "stays" => loader.verify("work", Static(bytes)),
        _ => loader.export_globals(true).verify("work", Writable::new(bytes)),
    };
    said.map_or_else(|error| error.name(), |_| "loads")
}

fn host_name(number: usize) -> Vec<u8> {
    format!("host_{number}").into_bytes()
}

fn section(name: &'static str, kind: u32, flags: u64, data: Vec<u8>) -> elf::Section {
    elf::Section { name, kind, flags: flags | ALLOC, data, align: 8, ..Default::default() }
}

fn sections(file: &mut File, count: usize) {
    file.sections.extend(std::iter::repeat_n(section(".text.f", PROGBITS, EXEC, vec![0; 8]), count));
}

/// The later the section, the earlier it runs.
fn constructors(file: &mut File, count: usize) {
    let word = file.target.class.word();
    let symbols = file.index(".symtab") as u32;
    for number in (0..count).rev() {
        let name: &'static str = format!(".init_array.{number:05}").leak();
        let target = file.sections.len() as u32;
        file.sections
            .push(elf::Section { align: word as u64, ..section(name, INIT_ARRAY, WRITE, vec![0; word]) });
        let data = relocation(file.target, 0, file.target.word, PROBE, 0);
        let relocations =
            elf::Section { data, link: symbols, info: target, ..file.section(".rel.data").clone() };
        file.sections.push(relocations);
    }
}

/// Each in a section of its own.
fn constructors_apart(file: &mut File, count: usize) {
    let (word, first) = (file.target.class.word(), file.sections.len());
    sections(file, count);
    let symbols: Vec<elf::Symbol<'_>> = (first..first + count)
        .map(|section| (&b"up"[..], 0, section as u16, file.target.function_bit))
        .collect();
    add_symbols(file, Form::Object, &symbols);
    let record =
        |number| relocation(file.target, (number * word) as u64, file.target.word, OWN + number as u64, 0);
    let records = (0..count).flat_map(record).collect();
    file.section(".init_array").data = vec![0; count * word];
    file.section(".rel.init_array").data = records;
}

fn many(file: &mut File, count: usize, info: u8, section: u16, name: impl Fn(usize) -> Vec<u8>) {
    let names: Vec<_> = (0..count).map(name).collect();
    let all: Vec<elf::Symbol<'_>> = names.iter().map(|name| (&name[..], info, section, 0)).collect();
    add_symbols(file, Form::Object, &all);
}

fn defined(file: &mut File, count: usize) {
    many(file, count, OBJECT, 2, |number| format!("own_{number}").into_bytes());
}

fn provided(file: &mut File, count: usize) {
    many(file, count, GLOBAL, 0, host_name);
}

fn colliding(file: &mut File, count: usize) {
    let name = |number: usize| -> Vec<u8> {
        (0..12).flat_map(|bit| if number >> bit & 1 == 0 { *b"ab" } else { *b"bA" }).collect()
    };
    many(file, count, OBJECT, 2, name);
}

fn words(file: &mut File, count: usize) {
    let record = relocation(file.target, 0, file.target.word, PROBE, 0);
    file.section(".rel.data").data.extend(record.repeat(count));
}

/// Each at a place of its own.
fn calls(file: &mut File, count: usize) {
    let (r_type, _, addend) = file.target.call;
    let (code, site) = crate::sample::code(file.target);
    let record =
        |number| relocation(file.target, site + number * code.len() as u64, r_type, UNDEFINED, addend);
    let records = (0..count as u64).flat_map(record).collect();
    file.section(".text").data = code.repeat(count);
    file.section(".rel.text").data = records;
}

/// Whether branches to far targets can be told to be anywhere: with explicit addends of 64 bits.
fn crowds() -> bool {
    target::native().rela && target::native().class.word() == 8
}

/// Each to a target of its own, so far from the others that all meet in the index of stubs: as far as the inverse of
/// what a target is multiplied with there.
fn crowd(file: &mut File, count: usize) {
    let (r_type, _, addend) = file.target.call;
    let (code, site) = crate::sample::code(file.target);
    let far = |number: u64| addend.wrapping_add(number.wrapping_mul(0xf1de_83e1_9937_733d) as i64);
    let record =
        |number| relocation(file.target, site + number * code.len() as u64, r_type, UNDEFINED, far(number));
    let records = (0..count as u64).flat_map(record).collect();
    file.section(".text").data = code.repeat(count);
    file.section(".rel.text").data = records;
}

/// Of sections that are not there.
fn starts(file: &mut File, count: usize) {
    sections(file, count);
    many(file, count, 0x20, 0, |_| b"__start_nowhere_".to_vec());
}

/// R_RISCV_PCREL_LO12_I before the R_RISCV_PCREL_HI20 that it names by a label.
fn pairs(file: &mut File, count: usize) {
    let numbers = 0..count as u64;
    let lower = |number: u64| relocation(file.target, 8 * number + 4, 24, OWN + number, 0);
    let upper = |number: u64| relocation(file.target, 8 * number, 23, PROBE, 0);
    let records = numbers.clone().flat_map(|number| [lower(number), upper(number)].concat()).collect();
    let labels: Vec<elf::Symbol<'_>> = numbers.map(|number| (&b"label"[..], 0, 1, 8 * number)).collect();
    add_symbols(file, Form::Object, &labels);
    file.section(".text").data = vec![0; 8 * count];
    file.section(".rel.text").data = records;
}

fn tables(file: &mut File, count: usize) {
    let table = file.section(".rel.data").clone();
    file.sections.extend(std::iter::repeat_n(table, count));
}

fn needed(file: &mut File, count: usize) {
    let strings = file.section(".dynstr");
    let offset = strings.data.len() as u64;
    strings.data.extend(b"libhost.so\0");
    let size = strings.data.len() as u64;
    set_dynamic(file, dt::STRSZ, size);
    (0..count).for_each(|_| set_dynamic(file, dt::NEEDED, offset));
}

fn notes(file: &mut File, count: usize) {
    let mut note: Vec<u8> = [6u32, 12, 2].into_iter().flat_map(u32::to_le_bytes).collect();
    note.extend(b"llext\0\0\0libhost.so\0\0");
    file.sections.push(section(".note.llext", NOTE, 0, note.repeat(count)));
}

/// Bits that all mean the same few words.
fn packed(file: &mut File, count: usize) {
    let words: Vec<u64> = (0..count).flat_map(|_| [at::DATA, 3]).collect();
    let table = file.target.class.words(&words);
    let size = table.len() as u64;
    file.section(".spare").data.resize(0x800, 0);
    file.section(".spare").data[..table.len()].copy_from_slice(&table);
    file.segments[0].file_size = at::TEXT;
    file.segments[0].memory_size = at::TEXT;
    set_dynamic(file, dt::RELR, at::SPARE);
    set_dynamic(file, dt::RELRSZ, size);
}

fn contents(file: &mut File, count: usize) {
    file.sections.push(section(".data.large", PROGBITS, WRITE, vec![1; count]));
}
