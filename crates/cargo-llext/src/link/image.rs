//! The link itself: the stages of a load, up to bytes at their addresses.

use llext_link::Error as LinkError;
use llext_link::addr::{Extent, Part, SymbolIndex, Window, Word};
use llext_link::elf::Format;
use llext_link::elf::note::{self, LinkedTables};
use llext_link::elf::section::Role;
use llext_link::elf::symbol::{Place, STT_SECTION};
use llext_link::layout::Layout;
use llext_link::symbol::{Mark, Query};
use llext_link::whole::{Linked, Object, Plan};
use object::{Object as _, ObjectSection, elf};

use super::exports::Exports;
use super::file::{self, Image, Notes, Section, Segment, Symbol};
use super::{Job, ORDER, regions};
use crate::demangle;
use crate::elf::{flags, section_type};
use crate::error::Error;

/// What the outside world provides.
#[derive(Default)]
struct Used {
    imports: Vec<(Vec<u8>, u64)>,
    missing: Vec<String>,
    of_the_run_time: Option<String>,
}

/// Links the job's file.
pub(super) fn link<F: Format>(bytes: &[u8], job: &Job<'_>) -> Result<Image, Error> {
    let refused = |error: LinkError| Error::of_link(&job.extension.path, error);
    let arch = job.hosts.iter().find_map(|host| host.arch.as_ref());
    let mut object = Object::<F>::open(bytes, arch).map_err(refused)?;
    let mut used = Used::default();
    let mut lookup = |queries: &[Query<'_>], found: &mut [Option<u64>]| {
        queries.iter().zip(found).for_each(|(query, found)| *found = used.find(query, job));
    };
    let resolved = object.resolve(&mut lookup, &mut |_| {}).map_err(refused)?;
    used.must_be_whole(job)?;

    let exports = Exports::of(&object).map_err(refused)?;
    // The most that could be needed anywhere shows where everything can lie; from there, less may be needed.
    let all = Window { low: 0, high: F::Word::of(u64::MAX).get() };
    let anywhere = object.plan(&resolved, all, exports.extra()).map_err(refused)?;
    let places = regions::place(&anywhere.layout, job.at)?;
    regions::check(&anywhere.layout, &places, anywhere.needs.window, job.hosts)?;
    let window = regions::span(&anywhere.layout, &places);
    let plan = object.plan(&resolved, window, exports.extra()).map_err(refused)?;
    let Plan { layout: reserved, .. } = plan;
    let places = regions::place(&reserved, job.at)?;

    let mut linked = object.link(resolved, plan, places).map_err(refused)?;
    let (count, [entries, index]) = (exports.count(), exports.extents(&linked.layout));
    exports
        .write::<F>(&mut linked)
        .map_err(|error| Error::of_load(&job.extension.path, error, Vec::new()))?;
    let Layout { preinit, init, fini, .. } = linked.layout;
    let tables = LinkedTables { exports: entries, index, preinit, init, fini };
    let mut image = Image::of(job.extension);
    image.exports = count;
    image.imports = used.imports.len();
    image.stubs = linked.layout.stubs.size as usize / object.arch.stub_len().max(1);
    image.got_slots = linked.layout.got.size as usize / F::Word::SIZE;
    image.segments = segments(&object, &linked);
    image.sections = sections(&object, &linked, [entries, index], job);
    image.notes = notes::<F>(&object, &tables, &used.imports).map_err(refused)?;
    image.symbols = symbols(&object, &linked, &used.imports, &image.sections).map_err(refused)?;
    Ok(image)
}

impl Used {
    fn find(&mut self, query: &Query<'_>, job: &Job<'_>) -> Option<u64> {
        let name = String::from_utf8_lossy(query.name).into_owned();
        // It is told which extension calls: nobody can do that in a linked file. A panic keeps nothing: the firmware's serves.
        if llext::is_provided(query.name) && name != "llext_panic" {
            self.of_the_run_time.get_or_insert(name);
            return None;
        }
        let found = job.hosts.iter().find_map(|host| host.address(&name));
        match found {
            Some(address) => self.imports.push((query.name.to_vec(), address)),
            None if !query.weak => self.missing.push(demangle::demangle(&name)),
            None => {}
        }
        found
    }

    fn must_be_whole(&self, job: &Job<'_>) -> Result<(), Error> {
        let file = job.extension.path.clone();
        if let Some(name) = self.of_the_run_time.clone() {
            return Err(Error::NeedsRunTime { file, name });
        }
        if self.missing.is_empty() {
            return Ok(());
        }
        let host = job.hosts.iter().map(|host| host.shown()).collect::<Vec<_>>().join(", ");
        Err(Error::MissingSymbols { file, host, count: self.missing.len(), names: self.missing.join(", ") })
    }
}

/// The parts that hold something, by their addresses.
fn segments<F: Format>(object: &Object<'_, F>, linked: &Linked<F::Word>) -> Vec<Segment> {
    let zeros = |section: &&llext_link::elf::section::Section| section.role() == Role::Data;
    let ends = object.sections.iter().filter(zeros).map(|section| section.place() + section.size());
    let contents = ends.max().unwrap_or(0) as usize;
    let segment = |part: Part| {
        let bytes = &linked.parts[part as usize];
        let in_file = if part == Part::Data { contents } else { bytes.len() };
        Segment {
            part,
            address: linked.addresses.part(part).get(),
            bytes: bytes[..in_file].to_vec(),
            size: bytes.len() as u64,
            align: linked.layout.aligns[part as usize].max(1),
        }
    };
    let mut segments: Vec<_> = ORDER.into_iter().map(segment).filter(|segment| segment.size > 0).collect();
    segments.sort_by_key(|segment| segment.address);
    segments
}

/// What tools see: the object's sections where they went, and those that the link made.
fn sections<F: Format>(
    object: &Object<'_, F>,
    linked: &Linked<F::Word>,
    [entries, index]: [Extent; 2],
    job: &Job<'_>,
) -> Vec<Section> {
    let mut all = Vec::new();
    for section in job.extension.file.sections() {
        let number = section.index().0;
        let Some(placed) = object.sections.get(number).filter(|placed| placed.is_loaded()) else { continue };
        let kept = elf::SHF_ALLOC.0 | elf::SHF_WRITE.0 | elf::SHF_EXECINSTR.0;
        all.push(Section {
            of: Some(number),
            name: section.name_bytes().unwrap_or_default().to_vec(),
            kind: section_type(&section),
            flags: elf::SectionFlags(flags(&section).0 & kept),
            part: placed.role().part(),
            address: linked.addresses.of(placed).get(),
            size: placed.size().into(),
            align: placed.align().into(),
        });
    }
    let Layout { stubs, got, extra_constants, .. } = linked.layout;
    let names = Extent { offset: index.offset + index.size, size: 0 };
    let names = Extent { size: extra_constants.offset + extra_constants.size - names.offset, ..names };
    let made = if object.exports_globals() { entries } else { Extent::default() };
    let word = F::Word::SIZE as u64;
    for (name, part, extent, align) in [
        (".llext.stubs", Part::Code, stubs, 4),
        (".exported_sym", Part::Constants, made, word),
        (".llext.index", Part::Constants, index, 4),
        (".llext.names", Part::Constants, names, 1),
        (".got", Part::Constants, got, word),
    ] {
        let address = linked.addresses.part(part).get() + u64::from(extent.offset);
        all.push(Section::made(name, part, address, extent.size.into(), align));
    }
    let commons = u64::from(linked.layout.size(Part::Data) - linked.layout.commons);
    let address = linked.addresses.part(Part::Data).get() + u64::from(linked.layout.commons);
    all.push(Section::made(".common", Part::Data, address, commons, 1));
    all.retain(|section| section.size > 0);
    all.sort_by_key(|section| section.address);
    all
}

/// What the object's own notes say to a load, and what a device checks and needs.
fn notes<F: Format>(
    object: &Object<'_, F>,
    tables: &LinkedTables,
    imports: &[(Vec<u8>, u64)],
) -> Result<Vec<u8>, LinkError> {
    let mut notes = Notes::<F>::default();
    let own = object.sections.iter().filter(|section| section.role() == Role::Note);
    for section in own.map(|section| object.contents(section)) {
        if let Some(version) = note::abi_version::<F>(section)? {
            notes.abi(version);
        }
        for name in note::needed::<F>(section) {
            notes.needed(name?);
        }
    }
    notes.tables(tables);
    imports.iter().for_each(|(name, address)| notes.import(name, *address));
    Ok(notes.bytes)
}

/// The object's own symbols where they went, and those of others, for people and debuggers.
fn symbols<F: Format>(
    object: &Object<'_, F>,
    linked: &Linked<F::Word>,
    imports: &[(Vec<u8>, u64)],
    sections: &[Section],
) -> Result<Vec<Symbol>, LinkError> {
    let mut all = Vec::new();
    for index in (1..object.symbols.len()).map(SymbolIndex) {
        let symbol = object.symbols.get(index)?;
        let place = object.symbols.section(index, &symbol)?;
        let value = linked.values[index.0 as usize];
        let name = object.symbols.name(index, &symbol)?;
        if place == Place::Undefined || symbol.kind() == STT_SECTION || name.is_empty() {
            continue;
        }
        if value == Mark::unusable() {
            continue;
        }
        let section = match place {
            Place::Section(number) => sections.iter().position(|section| section.of == Some(number as usize)),
            Place::Common => sections.iter().position(|section| section.name == b".common"),
            Place::Undefined | Place::Absolute => None,
        };
        let (info, other) = (symbol.info, symbol.other);
        all.push(Symbol {
            name: name.to_vec(),
            section,
            value: value.get(),
            size: symbol.size.get(),
            info,
            other,
        });
    }
    let theirs = |(name, value): &(Vec<u8>, u64)| {
        let info = elf::STB_GLOBAL.0 << 4;
        Symbol { name: name.clone(), section: None, value: *value, size: 0, info, other: 0 }
    };
    all.extend(imports.iter().map(theirs));
    all.sort_by_key(file::is_global);
    Ok(all)
}
