//! Everything that is read of a file, in every format: the whole file as either kind, and its tables as they come.

use llext_link::Error;
use llext_link::addr::{Extent, SymbolIndex};
use llext_link::arch::Arch;
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::exported::ExportScan;
use llext_link::elf::hash::HashTable;
use llext_link::elf::header::Header;
use llext_link::elf::relocation::Relocations;
use llext_link::elf::section::{self, Role, Scan, Section};
use llext_link::elf::segment::{self, Segment};
use llext_link::elf::symbol::Symbols;
use llext_link::elf::{Elf32Be, Elf32Le, Elf64Be, Elf64Le, Format, note};

/// No image of a file that is this large teaches more than a smaller one.
const LARGEST: u32 = 1 << 20;

pub(crate) fn run(bytes: &[u8]) {
    read::<Elf32Le>(bytes);
    read::<Elf64Le>(bytes);
    read::<Elf32Be>(bytes);
    read::<Elf64Be>(bytes);
}

/// Every refusal is an answer.
fn read<F: Format>(bytes: &[u8]) {
    if let Ok(header) = header::<F>(bytes) {
        let _ = sections::<F>(&header, bytes);
        let _ = segments::<F>(&header, bytes);
        let _ = exported::<F>(&header, bytes);
    }
    tables::<F>(bytes);
}

fn header<F: Format>(bytes: &[u8]) -> Result<Header, Error> {
    let extent = Header::extent::<F>(bytes.len() as u64)?;
    let mut header = Header::parse::<F>(extent.of(bytes).unwrap_or_default(), bytes.len() as u64)?;
    header.complete::<F>(header.first_section().of(bytes).unwrap_or_default())?;
    Ok(header)
}

fn sections<F: Format>(header: &Header, mut bytes: &[u8]) -> Result<(), Error> {
    let all = bytes;
    let mut sections = vec![Section::default(); header.section_count as usize];
    let mut scan = Scan::default();
    while !scan.step::<F, _>(header, &mut bytes, &mut sections, 3)? {}
    let tables = scan.finish(&sections)?;
    let part = |extent: Extent| extent.of(all).expect("a checked table lies in the file");
    section::connect(&mut sections)?;
    section::apply_names(&mut sections, part(tables.names))?;
    if let Some(arch) = Arch::find(header) {
        let _ = (arch.check(header), arch.check_attributes::<F>(part(tables.attributes)));
    }
    let symbols = Symbols::<F>::new(part(tables.symbols), part(tables.strings), part(tables.extended))?;
    every_symbol(&symbols);
    for section in sections.iter().filter(|section| matches!(section.role(), Role::Rel | Role::Rela)) {
        every_relocation(Relocations::<F>::new(section.role(), part(section.extent())));
    }
    Ok(())
}

fn segments<F: Format>(header: &Header, bytes: &[u8]) -> Result<(), Error> {
    let headers = header.segments.of(bytes).expect("a checked table lies in the file");
    let mut segments = vec![Segment::default(); header.segment_count as usize];
    let span = segment::scan::<F>(header, headers, &mut segments)?;
    if span.size > LARGEST {
        return Ok(());
    }
    let mut image = vec![0; span.size as usize];
    for segment in &segments[..span.count as usize] {
        let contents = segment.extent().of(bytes).expect("a checked segment lies in the file");
        let start = (segment.address() - span.base) as usize;
        image[start..start + contents.len()].copy_from_slice(contents);
    }
    let notes = span.notes.iter().map(|note| note.of(&image).expect("a checked note lies in the image"));
    notes.for_each(every_note::<F>);
    let dynamic = Dynamic::parse::<F>(&image, &span)?;
    let symbols = dynamic.symbols::<F>(&image)?;
    every_symbol(&symbols);
    if let Some(table) = dynamic.hash_table::<F>(&image)? {
        find_every(&table, &symbols);
    }
    for table in dynamic.relocations {
        every_relocation(Relocations::<F>::new(table.role, table.extent.of(&image).unwrap_or_default()));
    }
    dynamic.needed::<F>(&image).for_each(drop);
    Ok(())
}

fn exported<F: Format>(header: &Header, mut bytes: &[u8]) -> Result<(), Error> {
    let names = ExportScan::names::<F, _>(header, &mut bytes)?;
    let names = names.of(bytes).expect("checked names lie in the file");
    let mut scan = ExportScan::default();
    while !scan.step::<F, _>(header, &mut bytes, names, 3)? {}
    Ok(())
}

/// The bytes themselves as what a file's parts may be.
fn tables<F: Format>(bytes: &[u8]) {
    every_note::<F>(bytes);
    for arch in llext_link::arch::all() {
        let _ = arch.check_attributes::<F>(bytes);
    }
    let (entries, rest) = bytes.split_at(bytes.len() / 2);
    let Ok(symbols) = Symbols::<F>::new(entries, rest, &[]) else { return };
    for table in [HashTable::<F>::gnu(rest), HashTable::<F>::sysv(rest)].into_iter().flatten() {
        let _ = table.symbol_count();
        find_every(&table, &symbols);
    }
}

fn every_symbol<F: Format>(symbols: &Symbols<'_, F>) {
    for index in (0..symbols.len()).map(SymbolIndex) {
        let symbol = symbols.get(index).expect("each below the number of symbols is there");
        let _ = (symbols.name(index, &symbol), symbols.section(index, &symbol));
    }
}

/// The first symbols' names are looked up; each that is found is called so.
fn find_every<F: Format>(table: &HashTable<'_, F>, symbols: &Symbols<'_, F>) {
    for index in (0..symbols.len().min(16)).map(SymbolIndex) {
        let Ok(name) = symbols.get(index).and_then(|symbol| symbols.name(index, &symbol)) else { continue };
        let Some(found) = table.find(symbols, name) else { continue };
        let symbol = symbols.get(found).expect("what is found is there");
        assert_eq!(symbols.name(found, &symbol), Ok(name));
    }
}

fn every_relocation<F: Format>(relocations: Relocations<'_, F>) {
    let (mut left, mut count) = (relocations, 0);
    while let Some((_, run, rest)) = left.split_run() {
        count += run.len();
        left = rest;
    }
    assert_eq!(count, relocations.len());
}

fn every_note<F: Format>(notes: &[u8]) {
    let _ = (note::check_abi::<F>(notes), note::needed::<F>(notes).count());
}
